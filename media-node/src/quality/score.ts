import type { ConnectionQuality } from '@sluice/contracts';

/**
 * How good a stream is for whoever hears or sees it, as a transmission rating R from 0 to 100 and the mean opinion score
 * that ITU-T G.107 derives from it. Audio is G.107's E-model in the reduced form for packet networks (Cole and
 * Rosenbluth 2001, "Voice over IP performance monitoring"); video has no model that knows no picture, so that loss and
 * rate take the place of the E-model's equipment impairment, in the form of ITU-T G.1070 §11.2.
 */

/** R of a network without faults: G.107 §7.7, all parameters at their defaults. */
const BEST_R = 93.2;
/**
 * How much loss concealment bears, in percent: G.113 Appendix I for random loss of G.711 with concealment. There is no
 * value for Opus, whose concealment is better.
 */
const AUDIO_LOSS_ROBUSTNESS = 25.1;
/** Loss in percent, after repair, at which a picture is worth 1/e: 1 % is hardly seen, 7 % annoys. By experience. */
const VIDEO_LOSS_ROBUSTNESS = 12;
/** What a halving of the rate takes, as a share: LiveKit's own server takes 20 of 100 for each factor of e. */
const RATE_WEIGHT = 0.2;
/** Coding, packets and playout: 20 ms of a frame, and 10 ms each side. */
const FIXED_DELAY_MS = 40;

/** What the network did to a stream. */
export interface Impairments {
  /** 0 to 1, of what was repaired in time nothing. */
  readonly lossShare: number;
  /** 0: not known. */
  readonly rttMs: number;
  readonly jitterMs: number;
}

export const audioRating = (impairments: Impairments): number => {
  const loss = percent(impairments.lossShare);
  return rating(BEST_R - (95 * loss) / (loss + AUDIO_LOSS_ROBUSTNESS) - delayImpairment(impairments));
};

/** `deliveredShare`: what is sent of what the subscriber has a use for, 0 to 1. */
export const videoRating = (impairments: Impairments, deliveredShare: number): number => {
  if (deliveredShare <= 0) return 0;
  const rate = Math.max(0, 1 + RATE_WEIGHT * Math.log(Math.min(1, deliveredShare)));
  const loss = Math.exp(-percent(impairments.lossShare) / VIDEO_LOSS_ROBUSTNESS);
  return rating(BEST_R * rate * loss - delayImpairment(impairments));
};

/** G.107 Annex B. */
export const opinionScore = (r: number): number =>
  r <= 0 ? 1 : Math.min(4.5, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);

/** G.109: from 80 on users are satisfied, below 60 nearly all are not. */
export const qualityOf = (r: number): Exclude<ConnectionQuality['quality'], 'lost'> => {
  if (r >= 80) return 'excellent';
  return r >= 60 ? 'good' : 'poor';
};

/** Cole and Rosenbluth's fit to G.107: slow growth, steeper from where talking becomes taking turns. */
function delayImpairment({ rttMs, jitterMs }: Impairments): number {
  // A jitter buffer holds about twice the mean deviation.
  const oneWayMs = rttMs / 2 + 2 * jitterMs + FIXED_DELAY_MS;
  return 0.024 * oneWayMs + 0.11 * Math.max(0, oneWayMs - 177.3);
}

const percent = (share: number): number => Math.min(100, Math.max(0, share * 100));
const rating = (r: number): number => Math.min(100, Math.max(0, r));
