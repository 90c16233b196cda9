/** Where a command writes; the real one is the terminal. */
export interface Output {
  /** What was asked for. */
  say(text: string): void;
  /** What went wrong, or what someone should know. */
  warn(text: string): void;
}

export const terminal: Output = {
  say: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stderr.write(`${text}\n`),
};
