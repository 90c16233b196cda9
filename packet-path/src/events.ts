import type { closeReasons, SessionId, TrackId } from '@sluice/contracts';

/** `ip:port`, or `[ip]:port` for IPv6. */
export type AddressText = string;

export type CloseReason = (typeof closeReasons)[number];

/** What the packet path tells. Rare by design: nothing here is per packet. */
export type PacketPathEvent =
  /** A valid ICE check arrived: the session lives here from now on. */
  | { readonly type: 'landed'; readonly session: SessionId; readonly remote: AddressText }
  /** The client's address changed, proven by an authenticated check. */
  | { readonly type: 'moved'; readonly session: SessionId; readonly remote: AddressText }
  /** DTLS is done and SRTP keys are in place. */
  | { readonly type: 'connected'; readonly session: SessionId }
  | { readonly type: 'closed'; readonly session: SessionId; readonly reason: CloseReason }
  /** The first packet of an incoming track arrived. */
  | {
      readonly type: 'track-started';
      readonly session: SessionId;
      readonly track: TrackId;
      readonly ssrc: number;
      readonly payloadType: number;
    }
  | {
      readonly type: 'data-channel-opened';
      readonly session: SessionId;
      readonly streamId: number;
      readonly label: string;
    }
  /** How loud a track's speaker is, told when it changes. `level` is linear, 0 to 1. */
  | {
      readonly type: 'audio-activity';
      readonly session: SessionId;
      readonly track: TrackId;
      readonly active: boolean;
      readonly level: number;
    }
  /** An ICE check named a username fragment that no spec has. */
  | { readonly type: 'unknown-username-fragment'; readonly usernameFragment: string; readonly from: AddressText }
  /** This thread did not keep up and so many events were dropped: ask for snapshots of what matters. */
  | { readonly type: 'events-lost'; readonly count: number };
