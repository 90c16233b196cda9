import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpRefusal } from '../ports.ts';

/** Answers an upgrade request with a plain HTTP response and ends the connection. */
export function writeRefusal(socket: Duplex, { status, text }: HttpRefusal): void {
  if (socket.destroyed) return;
  const body = Buffer.from(text, 'utf8');
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    'Access-Control-Allow-Origin: *',
    `Content-Length: ${body.length}`,
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
}
