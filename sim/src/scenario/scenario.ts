import type { Mode, Publishing, Reliability } from '@sluice/load-tester';
import type { AccessNetwork, NetworkName } from '../network/networks.ts';

/** A story about a cloud and its clients, as data: who is there, what happens when, and what must be so. */
export interface Scenario {
  readonly name: string;
  /** Threads of the media node; 1 unless said. */
  readonly shards?: number;
  readonly participants: readonly ParticipantPlan[];
  readonly actions?: readonly Action[];
  /** What must be so at certain moments. */
  readonly checks?: readonly Check[];
  readonly durationS: number;
  /** What must be so in the end; `everybodyReceivesEverybody` is always asked. */
  readonly expect?: Expectation;
}

export interface ParticipantPlan {
  readonly identity: string;
  readonly network: NetworkName | AccessNetwork;
  /** `single` unless said. */
  readonly mode?: Mode;
  /** All are in one room unless said. */
  readonly roomName?: string;
  /** When it joins; at the start unless said. `when-told`: by an action. */
  readonly joinsAtS?: number | 'when-told';
  readonly autoSubscribe?: boolean;
  /** By the names that actions use. */
  readonly publishes?: Readonly<Record<string, Publishing>>;
}

export type Action = { readonly atS: number; readonly who: string } & Deed;

export type Deed =
  /** The client, or another of the same identity after an earlier one, joins. */
  | { readonly do: 'join' }
  | { readonly do: 'leave' }
  /** Its process dies; its sockets close without a goodbye. */
  | { readonly do: 'crash' }
  /** Its machine is gone; nothing is said. */
  | { readonly do: 'vanish' }
  /** Its NAT forgets, and gives it other ports. */
  | { readonly do: 'rebind'; readonly ip?: string }
  /** Its WebSocket breaks; it resumes and restarts ICE. */
  | { readonly do: 'restart-ice' }
  | { readonly do: 'network'; readonly network: NetworkName | AccessNetwork }
  | { readonly do: 'publish'; readonly track: string; readonly publishing: Publishing }
  | { readonly do: 'unpublish'; readonly track: string }
  | { readonly do: 'mute' | 'unmute'; readonly track: string }
  /** All tracks of someone. */
  | { readonly do: 'subscribe' | 'unsubscribe' | 'disable' | 'enable'; readonly of: string }
  | {
      readonly do: 'send';
      readonly how: Reliability;
      readonly count: number;
      readonly bytes: number;
      readonly everyMs: number;
      /** Everybody unless said. */
      readonly to?: readonly string[];
    }
  /** Concerns everybody; `who` is of no meaning. */
  | { readonly do: 'cut-bus' | 'restore-bus' };

export interface Check {
  readonly atS: number;
  readonly expect: Expectation;
}

/** What must be so. Whatever is not named is not asked, but for what every correct run has: see `judge`. */
export interface Expectation {
  /**
   * Each client receives exactly the tracks of the others, from the right sources, and what is not muted flows.
   * `false`: not asked.
   */
  readonly everybodyReceivesEverybody?: boolean;
  /** What flows has flowed within so many seconds: 1 unless said. A key frame from far away takes longer. */
  readonly flowsWithinS?: number;
  /** Of the frames that were sent while somebody watched, the share that could be shown: of each video stream. */
  readonly framesShown?: number;
  /** Share of audio that was made up, at most: of each audio stream. */
  readonly concealed?: number;
  /** Longest gap between two frames, at most: of each video stream. */
  readonly longestGapMs?: number;
  /** From the client's last join to its first frame of each video stream, at most. */
  readonly firstFrameMs?: Readonly<Record<string, number>>;
  /** From there being a track to be received until its first frame: beyond `connected`. */
  readonly firstFrameAfterConnectedMs?: Readonly<Record<string, number>>;
  /** Of whom nobody knows any more. */
  readonly gone?: readonly string[];
  /** Clients that are over, and why. */
  readonly ended?: Readonly<Record<string, string>>;
  /** Resumes and joins anew, exactly; of those not named, none. `any`: not asked. */
  readonly comings?: 'any';
  readonly resumes?: Readonly<Record<string, number>>;
  readonly rejoins?: Readonly<Record<string, number>>;
  /** Sessions that the media node holds; as many as its clients have peer connections. */
  readonly sessions?: number | 'as-many-as-clients';
  /** Every reliable message that was sent to someone who was there arrived there, once and in order. */
  readonly data?: 'all-in-order';
  /** Of lossy messages, the share that arrived, at least. */
  readonly lossyArrived?: number;
  /** Video streams that this client receives now, by publisher: whether they flow. */
  readonly flows?: readonly {
    readonly to: string;
    readonly of: string;
    readonly kind: 'audio' | 'video';
    readonly is: boolean;
  }[];
}
