import { AppError, errorMessage } from '@sluice/runtime';

/** Every error that signaling lets out. */

const listenProblems: Readonly<Record<string, { code: string; what: string; advice: string }>> = {
  EADDRINUSE: {
    code: 'SIGNALING_ADDRESS_IN_USE',
    what: 'another program listens there already',
    advice: 'Stop that program, or set another port.',
  },
  EACCES: {
    code: 'SIGNALING_ADDRESS_FORBIDDEN',
    what: 'the system does not allow it',
    advice: 'Ports below 1024 need root or CAP_NET_BIND_SERVICE: use a higher one, or put a proxy in front.',
  },
  EADDRNOTAVAIL: {
    code: 'SIGNALING_ADDRESS_NOT_HERE',
    what: 'this machine has no such address',
    advice: 'Set an address of this machine, or 0.0.0.0 or :: for all of them.',
  },
};

/** The HTTP server cannot listen where it was told to. */
export function cannotListen(address: string, port: number, cause: unknown): AppError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const problem = Object.hasOwn(listenProblems, code) ? listenProblems[code] : undefined;
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return new AppError(
    problem?.code ?? 'SIGNALING_CANNOT_LISTEN',
    `HTTP cannot listen on ${where} (TCP): ${problem?.what ?? errorMessage(cause)}.`,
    { advice: problem?.advice ?? 'Check the address and port.', cause },
  );
}
