import { compileNative } from './native.ts';

/** Nothing else compiles the bench's addon: `npm run check` does it with this. */
compileNative();
