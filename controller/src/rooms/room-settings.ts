/** How long a room lives and how many it takes; the defaults are in `config.ts`. */
export interface RoomSettings {
  /** A room that nobody entered ends after this long. */
  readonly emptyTimeoutS: number;
  /** A room that everybody left ends after this long. */
  readonly departureTimeoutS: number;
  /** Participants that count; 0: no limit but the cloud's own. */
  readonly maxParticipants: number;
}

/** What a room takes from one participant, since everyone in it receives it. */
export interface RoomLimits {
  readonly maxMetadataBytes: number;
  /** All keys and values together. */
  readonly maxAttributesBytes: number;
  readonly maxNameCharacters: number;
}

/**
 * The cloud's own limits, whatever signaling lets clients do: the largest values that its settings take. Lower ones are
 * signaling's to keep, since it can tell the client.
 */
export const roomLimits: RoomLimits = {
  maxMetadataBytes: 512 * 1024,
  maxAttributesBytes: 512 * 1024,
  maxNameCharacters: 256,
};
