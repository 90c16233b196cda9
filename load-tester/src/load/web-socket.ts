import { errorMessage } from '@sluice/runtime';
import { WebSocket } from 'ws';
import type { RoomClientPorts, SignalClosure } from '../client/ports.ts';

const OPEN_WITHIN_MS = 15_000;
const NORMAL_CLOSURE = 1000;
const LONGEST_REFUSAL_BYTES = 4_096;

/** Dials a server by its URL, which may have a path of its own. */
export function webSocketDialer(url: string): RoomClientPorts['dial'] {
  const base = url.replace(/\/+$/, '');
  return ({ path, query, token }, listener) => {
    const socket = new WebSocket(`${base}${path}?${query.toString()}`, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: OPEN_WITHIN_MS,
      perMessageDeflate: false,
    });
    let over = false;
    const end = (why: SignalClosure): void => {
      if (over) return;
      over = true;
      listener.closed(why);
    };
    socket.on('message', (data, isBinary) => {
      if (!over && isBinary && Buffer.isBuffer(data)) listener.frame(data);
    });
    socket.on('unexpected-response', (_, response) => {
      const { statusCode: status = 0 } = response;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < LONGEST_REFUSAL_BYTES) text += chunk;
      });
      response.on('close', () => {
        end({ status, text });
        socket.terminate();
      });
    });
    socket.on('error', (error) => end({ status: 0, text: errorMessage(error) }));
    socket.on('close', (code) => end({ status: 0, text: `closed with ${code}` }));
    return {
      send: (frame) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(frame);
      },
      close: () => {
        over = true;
        if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
        else socket.close(NORMAL_CLOSURE);
      },
    };
  };
}
