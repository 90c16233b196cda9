import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  // oxc compiles JSX; Preact needs no plug-in of its own.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { target: 'es2022', sourcemap: true, chunkSizeWarningLimit: 800 },
  // `npx vite` beside a running `sluice up`.
  server: { proxy: { '/demo': 'http://127.0.0.1:7880', '/rtc': { target: 'ws://127.0.0.1:7880', ws: true } } },
});
