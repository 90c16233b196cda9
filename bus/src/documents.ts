/** What the writer and the reader of documents share. */

/** A kind of document: what it is called on the bus and what its body must look like. contracts' `DocumentKind` is one. */
export interface KindOf<T> {
  readonly name: string;
  readonly schema: {
    safeParse(
      body: unknown,
    ): { readonly success: true; readonly data: T } | { readonly success: false; readonly error: { message: string } };
  };
}

/** Which saying of a document: ordered by epoch first, generation second. */
export interface Version {
  readonly epoch: number;
  readonly generation: number;
}

/** Positive when `a` is newer than `b`. */
export const compareVersions = (a: Version, b: Version): number => a.epoch - b.epoch || a.generation - b.generation;

/**
 * Every writer says each of its documents again this often. So what was lost is made good within this time without
 * anyone noticing the loss, and a document that is not said for several such times has lost its writer.
 */
export const REPEAT_US = 10_000_000;

/** Two repetitions may get lost before a writer counts as gone. */
export const SILENT_AFTER_US = 3 * REPEAT_US;
