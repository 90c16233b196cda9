import type { Publishing } from '@sluice/load-tester';
import type { Conditions } from '../network/link.ts';

/** How one viewer's network is, and what its call must be like on it: as data. */
export interface Trial {
  readonly name: string;
  /** What there is to see, in a sentence. */
  readonly says: string;
  /** What each publisher sends; they are on a good network. */
  readonly publishers: readonly Readonly<Record<string, Publishing>>[];
  /** From the node to the viewer. */
  readonly down: Conditions;
  /** From the viewer to the node; as `down` but for the rate unless said. */
  readonly up?: Conditions;
  /** What `down` becomes later. */
  readonly steps?: readonly { readonly atS: number; readonly down: Conditions }[];
  /** A download over TCP through the same bottleneck. */
  readonly competitor?: { readonly fromS: number; readonly untilS: number };
  /** After the publishers, who are there from the start. */
  readonly viewerJoinsAtS?: number;
  readonly durationS: number;
  readonly limits?: Limits;
}

/** What must be so of every run. What is not named is not asked. */
export interface Limits {
  /** Longest gap between two frames of any video, once it flows. */
  readonly longestGapMs?: number;
  /** Of each video, at least. */
  readonly fps?: number;
  /** Of audio, the share that was made up, at most. */
  readonly concealed?: number;
  /** After each fall of capacity the queue is under 100 ms for good within so many seconds. */
  readonly queueSettlesWithinS?: number;
  /** From the join until nine tenths of the capacity are known. */
  readonly findsCapacityWithinS?: number;
}

/** One look at a viewer. */
export interface Sample {
  readonly atS: number;
  /** Undefined: as much as one likes. */
  readonly capacityBps: number | undefined;
  readonly targetBps: number;
  /** What the link carried since the last look. */
  readonly carriedBps: number;
  /** What the competitor had of it. */
  readonly competitorBps: number;
  readonly queueMs: number;
  /** By video: frames decoded so far, and the encoding of the last. */
  readonly videos: readonly { readonly frames: number; readonly encoding: number }[];
}

/** What came of a trial, in figures. */
export interface Result {
  readonly trial: Trial;
  readonly seed: number;
  readonly samples: readonly Sample[];
  readonly figures: Figures;
  /** A sentence for each limit that was not kept. */
  readonly wrong: readonly string[];
}

export interface Figures {
  /** Of all videos, the least and the mean. */
  readonly leastFps: number;
  readonly meanFps: number;
  readonly switches: number;
  readonly freezes: number;
  readonly longestGapMs: number;
  /** From sending to complete frames, of the video that fared worst. */
  readonly delayP50Ms: number;
  readonly delayP95Ms: number;
  readonly queueP50Ms: number;
  readonly queueP95Ms: number;
  readonly queueMaxMs: number;
  /** Mean share of the capacity that was carried, from five seconds after the join on. */
  readonly used: number | undefined;
  /** Largest estimate as a share of the capacity, five seconds after it last changed or later. */
  readonly overshoot: number | undefined;
  readonly findsCapacityS: number | undefined;
  readonly queueSettlesS: number | undefined;
  readonly concealed: number;
  readonly brokenReferences: number;
}
