// What a build was made from, as one hash: a build is redone when its sources' content changed, not their times.
// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { stateFolder } from './paths.mjs';

/**
 * The hash of files and of everything in folders (paths within the repository), and of further text.
 * @param {string} base
 * @param {string[]} paths
 * @param {RegExp} wanted which files of a folder count
 * @param {string[]} [more]
 */
export function fingerprint(base, paths, wanted, more = []) {
  const hash = createHash('sha256');
  const files = paths.flatMap((path) => list(`${base}${path}`, wanted)).sort();
  for (const file of files) hash.update(file.slice(base.length)).update('\0').update(readFileSync(file)).update('\0');
  for (const text of more) hash.update(text).update('\0');
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @param {RegExp} wanted
 * @returns {string[]}
 */
export function list(path, wanted) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return list(`${path}/${entry.name}`, wanted);
    return wanted.test(entry.name) ? [`${path}/${entry.name}`] : [];
  });
}

/** @param {string} name */
export function readStamp(name) {
  const file = `${stateFolder}/${name}.stamp`;
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/**
 * @param {string} name
 * @param {string} value
 */
export function writeStamp(name, value) {
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(`${stateFolder}/${name}.stamp`, value);
}
