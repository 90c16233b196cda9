/**
 * Freezes what was said, however deep, and throws for what would not survive as JSON on a bus between machines. Keys
 * whose value is undefined are fine: JSON leaves them out.
 */
export function checkAndFreeze(value: unknown, path = 'body'): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${path} is ${value}: JSON cannot carry it`);
      return;
    case 'object':
      if (value !== null) checkObject(value, path);
      return;
    default:
      throw new TypeError(`${path} is a ${typeof value}: JSON cannot carry it`);
  }
}

function checkObject(value: object, path: string): void {
  if (Object.isFrozen(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${path} is a ${value.constructor.name}: JSON cannot carry it`);
  }
  Object.freeze(value);
  for (const [key, item] of Object.entries(value)) checkAndFreeze(item, `${path}.${key}`);
}
