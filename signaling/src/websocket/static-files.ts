import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

export interface StaticFile {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly bytes: number;
  open(): Readable;
}

/** The files of one directory: a built web page. Nothing outside it, and nothing hidden, is ever served. */
export class StaticFiles {
  readonly #root: string;

  constructor(directory: string) {
    this.#root = resolve(directory);
  }

  /** Undefined: there is no such file. `/` is `index.html`. */
  async find(path: string): Promise<StaticFile | undefined> {
    const file = this.#fileOf(path);
    if (file === undefined) return undefined;
    try {
      const found = await stat(file);
      if (!found.isFile()) return undefined;
      return {
        contentType: contentTypes[extname(file).toLowerCase()] ?? 'application/octet-stream',
        // Bundlers put a hash into the names under assets/.
        cacheControl: path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
        bytes: found.size,
        open: () => createReadStream(file),
      };
    } catch {
      return undefined;
    }
  }

  #fileOf(path: string): string | undefined {
    const decoded = decode(path === '/' ? '/index.html' : path);
    if (decoded === undefined || decoded.includes('\0') || decoded.includes('\\')) return undefined;
    if (decoded.split('/').some((part) => part.startsWith('.'))) return undefined;
    const file = join(this.#root, decoded);
    return file.startsWith(this.#root + sep) ? file : undefined;
  }
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
