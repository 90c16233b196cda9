import dgram from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/** Runs something that must not touch the real world: real timers and sockets throw meanwhile. */
export async function withoutRealWorld<T>(run: () => Promise<T>): Promise<T> {
  const restore = poisoned.map(([owner, name]) => poison(owner, name));
  syncBuiltinESMExports();
  try {
    return await run();
  } finally {
    for (const one of restore) one();
    syncBuiltinESMExports();
  }
}

const poisoned: readonly (readonly [owner: object, name: string])[] = [
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [dgram, 'createSocket'],
  [net, 'connect'],
  [net, 'createConnection'],
  [net, 'createServer'],
];

function poison(owner: object, name: string): () => void {
  const before: unknown = Reflect.get(owner, name);
  Reflect.set(owner, name, () => {
    throw new Error(`a simulation must not use ${name}`);
  });
  return () => void Reflect.set(owner, name, before);
}
