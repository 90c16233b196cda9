/** Every code of this package's errors, with what its reader can do. */
export const packetPathErrors = {
  PACKET_PATH_NOT_COMPILED: 'Compile the packet path with `npm run build`.',
  PACKET_PATH_BAD_VALUE: 'Correct the field that the message names.',
  PACKET_PATH_BAD_CERTIFICATE: 'Give a PEM certificate and the PKCS #8 private key that belongs to it.',
  PACKET_PATH_ADDRESS_IN_USE: 'Stop the process that has the port, or choose another one.',
  PACKET_PATH_PERMISSION_DENIED: 'Choose a port above 1023, or grant CAP_NET_BIND_SERVICE.',
  PACKET_PATH_ADDRESS_NOT_AVAILABLE: 'Choose an address that `ip address` lists, or 0.0.0.0.',
  PACKET_PATH_OUT_OF_RESOURCES: 'Raise the limits of open files and threads of this process.',
  PACKET_PATH_OPEN_FAILED: 'The message carries what the system said.',
  PACKET_PATH_BUSY: 'Try again a moment later; a shard is overloaded.',
  PACKET_PATH_CLOSED: 'The packet path was closed; open another one.',
} as const;

export type PacketPathErrorCode = keyof typeof packetPathErrors;

/** What this package throws. `code` is stable, the message is for people. */
export class PacketPathError extends Error {
  override readonly name = 'PacketPathError';
  readonly code: PacketPathErrorCode;
  /** What the reader can do about it, as one sentence. */
  readonly advice: string;

  constructor(code: PacketPathErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.advice = packetPathErrors[code];
  }
}

/** The addon's error as this package's; anything else as it is. */
export function fromAddon(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !('code' in thrown) || !isCode(thrown.code)) return thrown;
  return new PacketPathError(thrown.code, thrown.message, thrown);
}

const isCode = (code: unknown): code is PacketPathErrorCode =>
  typeof code === 'string' && Object.hasOwn(packetPathErrors, code);
