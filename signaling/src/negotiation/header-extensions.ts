import { type HeaderExtensionKind, headerExtensionKinds, headerExtensionUris } from '@sluice/contracts';
import { type HeaderExtension, type RtpSection, reversed } from '@sluice/sdp';
import { ownExtensionIds } from './own-formats.ts';
import type { MediaKind, NegotiatedSpec } from './terms.ts';

/**
 * What we take part in. Not here on purpose: video-orientation, because a browser that cannot signal it turns the
 * picture before it encodes, and then every subscriber sees it upright; abs-send-time, which transport-cc replaces.
 */
const accepted: Readonly<Record<MediaKind, readonly HeaderExtensionKind[]>> = {
  audio: ['mid', 'audio-level', 'transport-cc', 'abs-capture-time'],
  video: ['mid', 'rid', 'repaired-rid', 'transport-cc', 'dependency-descriptor', 'abs-capture-time'],
};

/** What we offer to a client that only receives. */
const offered: Readonly<Record<MediaKind, readonly HeaderExtensionKind[]>> = {
  audio: ['transport-cc', 'mid', 'abs-capture-time'],
  video: ['transport-cc', 'mid', 'dependency-descriptor', 'abs-capture-time'],
};

const kindOfUri: ReadonlyMap<string, HeaderExtensionKind> = new Map(
  headerExtensionKinds.map((kind) => [headerExtensionUris[kind], kind]),
);

/** Highest id of the one-byte form (RFC 8285 §4.2); above it both sides must allow mixing. */
const MAX_ONE_BYTE_ID = 14;

/**
 * The session's one map of kinds to ids: bundled sections share it (RFC 9143 §12). The first section that names a
 * kind or takes an id wins; a section that differs goes without.
 */
export class ExtensionIds {
  readonly #ids = new Map<HeaderExtensionKind, number>();

  /** Those of an offered section that we accept, as they stand in the answer. */
  accept(section: RtpSection): HeaderExtension[] {
    const answered: HeaderExtension[] = [];
    for (const { id, uri, direction } of section.extensions) {
      const kind = kindOfUri.get(uri);
      if (!kind || !accepted[section.kind].includes(kind)) continue;
      if (id > MAX_ONE_BYTE_ID && !section.extensionsAllowMixed) continue;
      if (answered.some((each) => each.id === id || each.uri === uri) || !this.#agree(kind, id)) continue;
      answered.push({ id, uri, direction: reversed(direction) });
    }
    return answered;
  }

  /** Those that a client's answer took from our offer, by the ids that we gave (RFC 8285 §7: it cannot change them). */
  confirm(answered: RtpSection): void {
    for (const { id, uri } of answered.extensions) {
      const kind = kindOfUri.get(uri);
      if (kind && ownExtensionIds[kind] === id) this.#agree(kind, id);
    }
  }

  toSpec(): NegotiatedSpec['headerExtensions'] {
    return [...this.#ids].map(([kind, id]) => ({ kind, id }));
  }

  #agree(kind: HeaderExtensionKind, id: number): boolean {
    const known = this.#ids.get(kind);
    if (known !== undefined) return known === id;
    if ([...this.#ids.values()].includes(id)) return false;
    this.#ids.set(kind, id);
    return true;
  }
}

export const offeredExtensions = (kind: MediaKind): HeaderExtension[] =>
  offered[kind].flatMap((extension) => {
    const id = ownExtensionIds[extension];
    return id === undefined ? [] : [{ id, uri: headerExtensionUris[extension], direction: 'sendrecv' as const }];
  });

export const carries = (extensions: readonly HeaderExtension[], kind: HeaderExtensionKind): boolean =>
  extensions.some(({ uri }) => uri === headerExtensionUris[kind]);
