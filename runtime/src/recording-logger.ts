import type { LogFields, Logger, LogLevel } from './logger.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps every line, so that a test can say which events must have happened. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[];
  readonly #fields: LogFields;

  constructor(lines: LogLine[] = [], fields: LogFields = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  debug(event: string, fields?: LogFields): void {
    this.#keep('debug', event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.#keep('info', event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.#keep('warn', event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.#keep('error', event, fields);
  }

  with(fields: LogFields): Logger {
    return new RecordingLogger(this.lines, { ...this.#fields, ...fields });
  }

  /** Names of the events said so far, in order. */
  events(): string[] {
    return this.lines.map((line) => line.event);
  }

  #keep(level: LogLevel, event: string, fields: LogFields = {}): void {
    this.lines.push({ level, event, fields: { ...this.#fields, ...fields } });
  }
}
