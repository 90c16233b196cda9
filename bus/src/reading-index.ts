import { anyScope, type Reading, type Scope } from './bus.ts';

interface Entry<Given> {
  readonly give: (given: Given) => void;
  open: boolean;
}

/** Who reads what, found by kind and scope: a process may read thousands of rooms. */
export class ReadingIndex<Given> {
  readonly #kinds = new Map<string, Map<Scope, Set<Entry<Given>>>>();

  open(kind: string, scope: Scope, give: (given: Given) => void): Reading {
    const entry: Entry<Given> = { give, open: true };
    const scopes = entryIn(this.#kinds, kind, () => new Map<Scope, Set<Entry<Given>>>());
    entryIn(scopes, scope, () => new Set<Entry<Given>>()).add(entry);
    return { close: () => this.#close(kind, scope, entry) };
  }

  has(kind: string, scope: Scope): boolean {
    const scopes = this.#kinds.get(kind);
    return scopes !== undefined && (scope === anyScope || scopes.has(scope) || scopes.has(anyScope));
  }

  /** Everyone who reads `kind` in `scope`, at this moment; one that is closed meanwhile is not given anything. */
  takers(kind: string, scope: Scope): ((given: Given) => void)[] {
    const scopes = this.#kinds.get(kind);
    if (scopes === undefined) return [];
    const sets = scope === anyScope ? [...scopes.values()] : [scopes.get(scope), scopes.get(anyScope)];
    return sets.flatMap((set) =>
      [...(set ?? [])].map((entry) => (given: Given) => {
        if (entry.open) entry.give(given);
      }),
    );
  }

  clear(): void {
    for (const scopes of this.#kinds.values()) {
      for (const entries of scopes.values()) for (const entry of entries) entry.open = false;
    }
    this.#kinds.clear();
  }

  #close(kind: string, scope: Scope, entry: Entry<Given>): void {
    entry.open = false;
    const scopes = this.#kinds.get(kind);
    const entries = scopes?.get(scope);
    if (scopes === undefined || entries === undefined) return;
    entries.delete(entry);
    if (entries.size === 0) scopes.delete(scope);
    if (scopes.size === 0) this.#kinds.delete(kind);
  }
}

function entryIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const held = map.get(key);
  if (held !== undefined) return held;
  const made = make();
  map.set(key, made);
  return made;
}
