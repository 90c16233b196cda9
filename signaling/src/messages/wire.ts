import { SignalRequest, SignalResponse } from '@livekit/protocol';

/** What a client says; `case` is undefined for messages that are newer than this server. */
export type ClientMessage = SignalRequest['message'];
/** What a client is told. */
export type ServerMessage = Exclude<SignalResponse['message'], { case: undefined }>;
export type ServerMessageCase = ServerMessage['case'];

/** Binary frames carry protobuf, text frames proto-JSON; a client is answered in the framing that it last used. */
export type Framing = 'binary' | 'text';

export type DecodedFrame =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly reason: 'not-protobuf' | 'not-json' };

/** One frame of a client. Never throws: whatever it cannot read is a value. */
export function decodeFrame(frame: Uint8Array | string): DecodedFrame {
  if (typeof frame === 'string') return decodeText(frame);
  try {
    return { ok: true, message: SignalRequest.fromBinary(frame, { readUnknownFields: false }).message };
  } catch {
    return { ok: false, reason: 'not-protobuf' };
  }
}

function decodeText(frame: string): DecodedFrame {
  try {
    return { ok: true, message: SignalRequest.fromJsonString(frame, { ignoreUnknownFields: true }).message };
  } catch {
    return { ok: false, reason: 'not-json' };
  }
}

/** One frame for a client. Throws when a field is out of its range: a defect of ours, which ends that one session. */
export function encodeFrame(message: ServerMessage, framing: Framing): Uint8Array | string {
  if (framing === 'text') return new SignalResponse({ message }).toJsonString();
  const known = encodedUpdates.get(message);
  if (known !== undefined) return known;
  const bytes = new SignalResponse({ message }).toBinary();
  if (message.case === 'update') encodedUpdates.set(message, bytes);
  return bytes;
}

/** The one message that goes to everyone in a room as it is. */
const encodedUpdates = new WeakMap<ServerMessage, Uint8Array>();
