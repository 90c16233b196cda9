/** What an `AppError` carries beside its code and message. */
export interface AppErrorDetails {
  /** What the reader can do about it, as one sentence. */
  readonly advice?: string;
  readonly cause?: unknown;
  /** For the log line; passes through redaction like any other field. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * An error that may cross a boundary. `code` is stable and is what callers compare; the message is for people.
 * Each package lists the ones it throws in its `errors.ts`.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  /** Upper case, begins with the package: `MEDIA_NODE_ADDRESS_IN_USE`. */
  readonly code: string;
  readonly advice: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: AppErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.advice = details.advice;
    this.fields = details.fields ?? {};
  }
}

/** The text of whatever was thrown. */
export const errorMessage = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
