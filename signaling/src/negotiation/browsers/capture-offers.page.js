/**
 * Runs in the page. Names become file names.
 * @returns {Promise<Record<string, string>>}
 */
// biome-ignore lint/correctness/noUnusedVariables: evaluated as text, then called
async function offers() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } });
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();
  if (!audio || !video) throw new Error('no fake devices');
  const channels = (pc) => {
    pc.createDataChannel('_reliable', { ordered: true });
    pc.createDataChannel('_lossy', { ordered: false, maxRetransmits: 0 });
  };
  const layers = [
    { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
    { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
    { rid: 'f', maxBitrate: 1_700_000 },
  ];
  const plans = {
    'audio-video': (pc) => {
      pc.addTransceiver(audio, { direction: 'sendonly', streams: [stream] });
      pc.addTransceiver(video, { direction: 'sendonly', streams: [stream] });
    },
    'send-and-receive': (pc) => {
      pc.addTrack(audio, stream);
      pc.addTrack(video, stream);
      channels(pc);
    },
    // What livekit-client sends first in single mode.
    single: (pc) => {
      channels(pc);
      for (const kind of ['audio', 'video']) {
        for (let i = 0; i < 3; i++) pc.addTransceiver(kind, { direction: 'recvonly' });
      }
    },
    simulcast: (pc) => {
      pc.addTransceiver(audio, { direction: 'sendonly' });
      pc.addTransceiver(video, { direction: 'sendonly', streams: [stream], sendEncodings: layers });
      channels(pc);
    },
    data: channels,
  };
  const texts = {};
  for (const [name, plan] of Object.entries(plans)) {
    const pc = new RTCPeerConnection();
    plan(pc);
    texts[name] = (await pc.createOffer()).sdp ?? '';
    pc.close();
  }
  return texts;
}
