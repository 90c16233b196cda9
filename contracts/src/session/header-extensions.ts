/** The RTP header extensions that the packet path reads, writes or passes on, by the URI that SDP carries (RFC 8285). */
export const headerExtensionUris = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'repaired-rid': 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'audio-level': 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'abs-send-time': 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'transport-cc': 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'transmission-offset': 'urn:ietf:params:rtp-hdrext:toffset',
  'video-orientation': 'urn:3gpp:video-orientation',
  'playout-delay': 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  'video-content-type': 'http://www.webrtc.org/experiments/rtp-hdrext/video-content-type',
  'video-timing': 'http://www.webrtc.org/experiments/rtp-hdrext/video-timing',
  'color-space': 'http://www.webrtc.org/experiments/rtp-hdrext/color-space',
  'dependency-descriptor': 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'frame-marking': 'http://tools.ietf.org/html/draft-ietf-avtext-framemarking-07',
  'abs-capture-time': 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
} as const;

export type HeaderExtensionKind = keyof typeof headerExtensionUris;

export const headerExtensionKinds = Object.keys(headerExtensionUris) as HeaderExtensionKind[];
