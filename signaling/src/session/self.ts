import { RequestResponse_Reason, type SubscriptionPermission, type UpdateParticipantMetadata } from '@livekit/protocol';
import type { Intent, LeaveReason, ParticipantId, Permissions, RoomInfo, TrackView } from '@sluice/contracts';
import type { Refusal } from '../messages/add-track.ts';
import type { ConnectRequest } from '../messages/connect-request.ts';
import { type Claims, claimsFor, type Grants } from '../tokens/claims.ts';

export interface SelfLimits {
  readonly metadataBytes: number;
  readonly attributesBytes: number;
}

export interface SelfOptions {
  readonly participant: ParticipantId;
  readonly joinedAtMs: number;
  readonly grants: Grants;
  readonly request: ConnectRequest;
  readonly limits: SelfLimits;
}

const LONGEST_NAME_CHARACTERS = 256;
/** Everyone in the room receives them with each change of the participant. */
const MOST_TRACK_PERMISSIONS = 4096;

/** What this server says of a participant: the part of its intent that is not its tracks. */
export class Self {
  readonly participant: ParticipantId;
  readonly grants: Grants;
  readonly #joinedAtMs: number;
  readonly #limits: SelfLimits;
  readonly #clientProtocol: number;
  readonly #capabilities: number[];
  #name: string;
  #metadata: string;
  #attributes: Record<string, string>;
  #permissions: Permissions;
  #known: Intent['known'];
  #active = false;
  #speaking: Intent['speaking'] = { active: false, level: 0 };
  #connection: Intent['connection'];
  #subscriptionPermission: Intent['subscriptionPermission'] = { allParticipants: true, trackPermissions: [] };

  constructor({ participant, joinedAtMs, grants, request, limits }: SelfOptions) {
    this.participant = participant;
    this.grants = grants;
    this.#joinedAtMs = joinedAtMs;
    this.#limits = limits;
    this.#clientProtocol = Math.max(0, request.client.clientProtocol);
    this.#capabilities = request.client.capabilities.slice(0, 32);
    this.#permissions = grants.permissions;
    this.#name = grants.name;
    // What the client brings itself counts where it may change it anyway.
    const own = grants.permissions.canUpdateMetadata;
    this.#metadata = own && request.metadata !== '' ? request.metadata : grants.metadata;
    this.#attributes = { ...grants.attributes, ...(own ? request.attributes : {}) };
  }

  get identity(): Grants['identity'] {
    return this.grants.identity;
  }

  get permissions(): Permissions {
    return this.#permissions;
  }

  get active(): boolean {
    return this.#active;
  }

  /** What is wrong with it from the start; undefined: nothing. */
  get excess(): string | undefined {
    const { metadataBytes, attributesBytes } = this.#limits;
    if (byteLength(this.#metadata) > metadataBytes) return `metadata may have ${metadataBytes} bytes`;
    return attributeBytes(this.#attributes) > attributesBytes
      ? `attributes may have ${attributesBytes} bytes`
      : undefined;
  }

  intent(tracks: TrackView[], wants: Intent['wants'], left?: LeaveReason): Intent {
    return {
      roomName: this.grants.room,
      participant: this.participant,
      identity: this.identity,
      name: this.#name,
      metadata: this.#metadata,
      attributes: this.#attributes,
      kind: this.grants.kind,
      permissions: this.#permissions,
      tracks,
      active: this.#active,
      clientProtocol: this.#clientProtocol,
      capabilities: this.#capabilities,
      subscriptionPermission: this.#subscriptionPermission,
      speaking: this.#speaking,
      ...(this.#connection === undefined ? {} : { connection: this.#connection }),
      wants,
      joinedAtMs: this.#joinedAtMs,
      ...(this.#known === undefined ? {} : { known: this.#known }),
      ...(left === undefined ? {} : { left }),
    };
  }

  /** Claims for a token that says what the participant holds now. */
  claims(): Claims {
    const [name, metadata, attributes, permissions] = [this.#name, this.#metadata, this.#attributes, this.#permissions];
    return claimsFor(this.grants, { name, metadata, attributes, permissions });
  }

  /** The room that its controller shows. True when it is another than was known. */
  see({ room, createdAtMs }: RoomInfo): boolean {
    if (this.#known?.room === room) return false;
    this.#known = { room, createdAtMs };
    return true;
  }

  /** True when it was not so before. */
  becomeActive(): boolean {
    const before = this.#active;
    this.#active = true;
    return !before;
  }

  setPermissions(permissions: Permissions): void {
    this.#permissions = permissions;
  }

  /** True when it changed. */
  setSpeaking(speaking: Intent['speaking']): boolean {
    if (speaking.active === this.#speaking.active && speaking.level === this.#speaking.level) return false;
    this.#speaking = speaking;
    return true;
  }

  /** True when it changed. */
  setConnection(connection: Intent['connection']): boolean {
    const before = this.#connection;
    if (before?.quality === connection?.quality && before?.score === connection?.score) return false;
    this.#connection = connection;
    return true;
  }

  /** Undefined when the change was made. */
  update(change: UpdateParticipantMetadata): Refusal | undefined {
    if (!this.#permissions.canUpdateMetadata) {
      const message = 'the token does not let the participant update its own metadata';
      return { reason: RequestResponse_Reason.NOT_ALLOWED, message };
    }
    const attributes = merged(this.#attributes, change.attributes);
    const excess = this.#excessOf(change, attributes);
    if (excess !== undefined) return { reason: RequestResponse_Reason.LIMIT_EXCEEDED, message: excess };
    // Clients say name and metadata each time; an empty one changes nothing.
    if (change.name !== '') this.#name = change.name;
    if (change.metadata !== '') this.#metadata = change.metadata;
    this.#attributes = attributes;
    return undefined;
  }

  permitSubscriptions({ allParticipants, trackPermissions }: SubscriptionPermission): Refusal | undefined {
    const named = trackPermissions.reduce((sum, { trackSids }) => sum + 1 + trackSids.length, 0);
    if (named > MOST_TRACK_PERMISSIONS) {
      const message = `permissions may name ${MOST_TRACK_PERMISSIONS} participants and tracks`;
      return { reason: RequestResponse_Reason.LIMIT_EXCEEDED, message };
    }
    this.#subscriptionPermission = {
      allParticipants,
      trackPermissions: trackPermissions.map((permission) => ({
        participant: permission.participantSid.slice(0, LONGEST_NAME_CHARACTERS),
        identity: permission.participantIdentity.slice(0, LONGEST_NAME_CHARACTERS),
        allTracks: permission.allTracks,
        tracks: permission.trackSids.filter((track) => track.length <= LONGEST_NAME_CHARACTERS),
      })),
    };
    return undefined;
  }

  #excessOf({ name, metadata }: UpdateParticipantMetadata, attributes: Record<string, string>): string | undefined {
    const { metadataBytes, attributesBytes } = this.#limits;
    if (name.length > LONGEST_NAME_CHARACTERS) return `a name may have ${LONGEST_NAME_CHARACTERS} characters`;
    if (byteLength(metadata) > metadataBytes) return `metadata may have ${metadataBytes} bytes`;
    return attributeBytes(attributes) > attributesBytes ? `attributes may have ${attributesBytes} bytes` : undefined;
  }
}

/** An empty value deletes the attribute. */
function merged(
  before: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== ''));
}

const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8');

const attributeBytes = (attributes: Readonly<Record<string, string>>): number =>
  Object.entries(attributes).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
