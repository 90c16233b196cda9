import { existsSync, globSync } from 'node:fs';
import { internalDoors, nativeArrows, nativeNouns, packageArrows } from '../arrows/arrows.ts';
import { foreignIncludes } from '../arrows/native.ts';
import { foreignImports } from '../arrows/typescript.ts';
import { commandSuite, findingsSuite, root, runCommand, skippedSuite } from './command.ts';
import { nativeTestSuite } from './native-tests.ts';
import { nodeTestSuite } from './node-tests.ts';
import type { Suite } from './suite.ts';

const node = process.execPath;
const tool = (path: string): string => `${root}node_modules/${path}`;

/** Files whose tests open real sockets or start processes; everything else shares one process. */
export const systemTests = ['**/*.system.test.ts', 'interop/**'];

export function checkSuites(): Suite[] {
  return [
    commandSuite('format and lint (biome)', node, [
      tool('@biomejs/biome/bin/biome'),
      'ci',
      '--colors=off',
      '--diagnostic-level=error',
      '.',
    ]),
    commandSuite('lint with types (oxlint)', node, [tool('oxlint/bin/oxlint'), '--type-aware', '--quiet']),
    findingsSuite('arrows: TypeScript imports', () => foreignImports(root, { arrows: packageArrows, internalDoors })),
    findingsSuite('arrows: C++ includes, and what the core must not touch', async () =>
      foreignIncludes(`${root}packet-path`, { arrows: nativeArrows, nouns: nativeNouns }),
    ),
    clangFormatSuite(),
    commandSuite('types (tsc)', node, [tool('typescript/bin/tsc'), '-p', 'tsconfig.json']),
    ...(existsSync(`${root}demo/tsconfig.json`)
      ? [commandSuite('types of the demo page (tsc)', node, [tool('typescript/bin/tsc'), '-p', 'demo/tsconfig.json'])]
      : []),
    commandSuite('docs/configuration.md is what the schema says', node, ['scripts/docs.ts', '--check']),
    nodeTestSuite('unit and property tests', {
      files: ['**/*.test.ts'],
      without: systemTests,
      isolation: 'none',
      timeoutMs: 30_000,
    }),
    nodeTestSuite('tests with real sockets', {
      files: ['**/*.system.test.ts'],
      without: ['interop/**'],
      isolation: 'process',
      concurrency: 2,
      timeoutMs: 60_000,
    }),
    nativeTestSuite('C++ tests', 'test'),
    commandSuite('the bench’s own addon compiles', node, ['bench/src/compile.ts']),
  ];
}

function clangFormatSuite(): Suite {
  const name = 'C++ format (clang-format)';
  return {
    name,
    run: async () => {
      const files = globSync(
        ['packet-path/{core,peer,io,swarm,binding,test,fuzz}/**/*.{h,cc}', 'bench/native/*.{h,cc}'],
        { cwd: root },
      );
      const version = await runCommand('clang-format', ['--version']).catch(() => undefined);
      if (version === undefined) return await skippedSuite(name, 'clang-format is not installed').run();
      return await commandSuite(name, 'clang-format', ['--dry-run', '--Werror', ...files]).run();
    },
  };
}
