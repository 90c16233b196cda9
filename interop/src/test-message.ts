// Data messages whose content is known from their first byte, so that loss, disorder and damage are all seen.

const STEP = 7;

/** A message of `length` bytes that carries `number`, modulo 256. */
export function messageBytes(number: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (number + i * STEP) & 0xff;
  return bytes;
}

/** What a message carries, and whether every byte of it is the one that was sent. */
export function readMessage(bytes: Uint8Array): { number: number; bytes: number; intact: boolean } {
  const number = bytes[0] ?? -1;
  const intact = bytes.every((byte, i) => byte === ((number + i * STEP) & 0xff));
  return { number, bytes: bytes.length, intact };
}
