/** What a room allows and how long it lives. Units in the names; the defaults are in `config.ts`. */
export interface RoomSettings {
  /** A room that nobody entered ends after this long. */
  readonly emptyTimeoutS: number;
  /** A room that everybody left ends after this long. */
  readonly departureTimeoutS: number;
  /** Participants that count; 0: no limit but the cloud's own. */
  readonly maxParticipants: number;
  readonly maxMetadataBytes: number;
  /** All keys and values together. */
  readonly maxAttributesBytes: number;
  readonly maxNameCharacters: number;
}
