// One line while something takes long, one when it is done; everything else goes to a log file that is shown on failure.
// @ts-check
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { root, stateFolder } from './paths.mjs';

/** Something the user can put right; its message is all that is shown. */
export class BootstrapError extends Error {}

/** Without a terminal a line is repeated this often, so that logs show life without filling up. */
const LOGGED_EVERY_S = 15;
const SHOWN_LOG_LINES = 40;

/**
 * @typedef {object} Step
 * @property {string} name the log's file name
 * @property {string} doing "Compiling the packet path"
 * @property {string} done "Compiled the packet path"
 * @property {string} command
 * @property {string[]} args
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {(line: string) => void} [line] sees each line of output
 * @property {() => string} [detail] how far it is: "12 of 40 files"
 * @property {RegExp} [noise] lines of the log that tell a reader nothing when it failed
 * @property {(log: string) => string | undefined} [advice] what to do, judged from the log of a failure
 */

/**
 * Runs a command quietly.
 * @param {Step} step
 * @returns {Promise<void>}
 */
export async function runStep(step) {
  mkdirSync(`${stateFolder}/log`, { recursive: true });
  const logFile = `${stateFolder}/log/${step.name}.log`;
  const log = createWriteStream(logFile);
  const line = statusLine(step);
  const code = await new Promise((resolve, reject) => {
    const child = spawn(step.command, step.args, {
      cwd: step.cwd ?? root,
      env: step.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text) => {
        log.write(text);
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const one of lines) step.line?.(one);
      });
    }
    child.once('error', reject).once('close', resolve);
  });
  await new Promise((resolve) => log.end(resolve));
  if (code === 0) return line.done();
  line.failed();
  const text = readFileSync(logFile, 'utf8');
  const lines = text.trimEnd().split('\n');
  const telling = lines.filter((one) => step.noise?.test(one) !== true);
  const tail = telling.slice(-SHOWN_LOG_LINES).join('\n');
  const advice = step.advice?.(text);
  throw new BootstrapError(
    `${tail}\n\n${step.doing} failed. ${advice ?? ''}${advice ? ' ' : ''}The whole log: ${relative(process.cwd(), logFile)}`,
  );
}

/** @param {Step} step */
function statusLine(step) {
  const startedMs = Date.now();
  const terminal = process.stderr.isTTY === true;
  const seconds = () => Math.round((Date.now() - startedMs) / 1000);
  const text = () => `${step.doing}… ${[step.detail?.(), `${seconds()} s`].filter(Boolean).join(', ')}`;
  const show = () => process.stderr.write(terminal ? `\r\x1b[K${text()}` : `${text()}\n`);
  process.stderr.write(terminal ? `${step.doing}…` : `${step.doing}…\n`);
  const timer = setInterval(show, terminal ? 500 : LOGGED_EVERY_S * 1000);
  const clear = () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\x1b[K');
  };
  return {
    done: () => {
      clear();
      process.stderr.write(`${step.done} (${seconds()} s).\n`);
    },
    failed: clear,
  };
}
