import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A client's connectivity check, for tests (RFC 8489 §5, §14; RFC 8445 §7.1): USERNAME, PRIORITY, ICE-CONTROLLING, MESSAGE-INTEGRITY, FINGERPRINT. */
export function bindingRequest(username: string, password: string): Buffer {
  const attribute = (type: number, value: Buffer): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(value.length, 2);
    return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
  };
  const attributes = Buffer.concat([
    attribute(0x0006, Buffer.from(username)),
    attribute(0x0024, Buffer.from([0x6e, 0x7f, 0x1e, 0xff])),
    attribute(0x802a, Buffer.from('12345678')),
  ]);
  const message = (length: number, ...parts: Buffer[]): Buffer => {
    const head = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    head.writeUInt16BE(length, 2);
    return Buffer.concat([head, ...parts]);
  };
  const signed = message(attributes.length + 24, attributes);
  const integrity = attribute(0x0008, createHmac('sha1', password).update(signed).digest());
  const printed = message(attributes.length + 32, attributes, integrity);
  const print = Buffer.alloc(4);
  print.writeUInt32BE((crc32(printed) ^ 0x5354_554e) >>> 0);
  return Buffer.concat([printed, attribute(0x8028, print)]);
}
