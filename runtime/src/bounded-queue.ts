/** Which item goes when a full queue is given another. */
export type Overflow = 'drop-oldest' | 'drop-newest';

/** A first-in, first-out queue that never holds more than `capacity` items and counts what it dropped. */
export class BoundedQueue<T> {
  readonly capacity: number;
  readonly #overflow: Overflow;
  #items: T[] = [];
  #head = 0;
  #dropped = 0;

  constructor(capacity: number, overflow: Overflow) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`a queue of ${capacity} items`);
    this.capacity = capacity;
    this.#overflow = overflow;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** How many items were dropped since the beginning. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False when something had to go: this item or the oldest one, as the queue was told. */
  push(item: T): boolean {
    const full = this.length >= this.capacity;
    if (full) this.#dropped++;
    if (full && this.#overflow === 'drop-newest') return false;
    if (full) this.#advance();
    this.#items.push(item);
    return !full;
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.length > 0) this.#advance();
    return item;
  }

  /** The oldest item, which stays. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Everything that is queued now, oldest first; the queue is empty afterwards. */
  drain(): T[] {
    const items = this.#head === 0 ? this.#items : this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }

  #advance(): void {
    this.#head++;
    // Amortised: the consumed front is cut off once it is the larger half.
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
