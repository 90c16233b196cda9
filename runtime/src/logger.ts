import { pino } from 'pino';
import { redactFields } from './redact.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Named by the words of the architecture: `roomId`, `participantId`, `sessionId`, `nodeId`, `durationMs`. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * A log line is an event and its fields: `logger.info('session.joined', { roomId, durationMs })`. info says lifecycle,
 * warn what was recovered from, error what was given up. Whatever happens per packet is a counter, never a line.
 * Fields with sensitive names are redacted.
 */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** Says `fields` with every line. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel | 'silent';
  /** `json` for machines, one object a line; `text` for people. */
  readonly format: 'json' | 'text';
  /** Where lines go; standard error when absent. */
  readonly write?: (line: string) => void;
}

/** The logger of a process. */
export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const emit = options.format === 'json' ? jsonEmitter(write) : textEmitter(write);
  const least = options.level === 'silent' ? logLevels.length : logLevels.indexOf(options.level);
  return new LineLogger(emit, least, {});
}

type Emit = (level: LogLevel, event: string, fields: Record<string, unknown>) => void;

class LineLogger implements Logger {
  readonly #emit: Emit;
  readonly #least: number;
  readonly #fields: LogFields;

  constructor(emit: Emit, least: number, fields: LogFields) {
    this.#emit = emit;
    this.#least = least;
    this.#fields = fields;
  }

  debug(event: string, fields?: LogFields): void {
    this.#line('debug', event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.#line('info', event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.#line('warn', event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.#line('error', event, fields);
  }

  with(fields: LogFields): Logger {
    return new LineLogger(this.#emit, this.#least, { ...this.#fields, ...fields });
  }

  #line(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (logLevels.indexOf(level) < this.#least) return;
    this.#emit(level, event, redactFields({ ...this.#fields, ...fields }));
  }
}

/** Says nothing. */
export const silentLogger: Logger = new LineLogger(() => {}, logLevels.length, {});

function jsonEmitter(write: (line: string) => void): Emit {
  const lines = pino(
    { level: 'debug', base: null, messageKey: 'event', formatters: { level: (label) => ({ level: label }) } },
    { write },
  );
  return (level, event, fields) => lines[level](fields, event);
}

function textEmitter(write: (line: string) => void): Emit {
  return (level, event, fields) => {
    const time = new Date().toISOString().slice(11, 23);
    const said = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
    write(`${time} ${level.padEnd(5)} ${event}${said.join('')}\n`);
  };
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
