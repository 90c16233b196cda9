import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { documentKinds } from './documents.ts';

const page = readFileSync(new URL('../../docs/protocols/documents.md', import.meta.url), 'utf8');

/** Field names in a section's tables: the first column, several to a row. */
function fieldsNamed(heading: string): Set<string> {
  const sections = page.split(/^## /m).filter((section) => section.slice(0, section.indexOf('\n')).includes(heading));
  const cells = sections.flatMap((section) => section.match(/^\| `[^|]*\|/gm) ?? []);
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')));
}

test('documents: the page on documents names every field of every kind, and none that there is not', () => {
  const named = new Map<string, Set<string>>();
  for (const { name, schema } of documentKinds) {
    const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    const fields = fieldsNamed(name);
    for (const field of Object.keys(properties)) assert.ok(fields.has(field), `${name}: \`${field}\` is not described`);
    named.set(name, new Set(Object.keys(properties)));
  }
  for (const { name } of documentKinds) {
    const shared = name.endsWith('-table') ? documentKinds.filter((kind) => kind.name.endsWith('-table')) : [{ name }];
    const all = new Set(shared.flatMap((kind) => [...(named.get(kind.name) ?? [])]));
    for (const field of fieldsNamed(name)) assert.ok(all.has(field), `${name}: there is no \`${field}\``);
  }
});

test('documents: names are unique', () => {
  assert.equal(new Set(documentKinds.map(({ name }) => name)).size, documentKinds.length);
});
