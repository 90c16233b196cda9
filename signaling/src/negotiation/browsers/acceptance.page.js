/** Runs in the page: one peer connection at a time, driven from outside by name. */
globalThis.peer = {
  pc: undefined,
  /** What the page was told of tracks, in order. */
  events: [],

  open() {
    this.pc?.close();
    const pc = new RTCPeerConnection();
    this.pc = pc;
    this.events = [];
    pc.ontrack = ({ transceiver, streams, track }) => {
      for (const stream of streams) {
        this.events.push(`+${transceiver.mid} ${stream.id}`);
        stream.onremovetrack = () => this.events.push(`-${transceiver.mid} ${stream.id}`);
      }
      track.onended = () => this.events.push(`ended ${transceiver.mid}`);
    };
    pc.ondatachannel = ({ channel }) => this.events.push(`channel ${channel.label}`);
  },

  openChannel(label) {
    this.pc.createDataChannel(label);
  },

  /** Gives the id that `add_track` would carry. */
  async publish(kind, rids) {
    const constraints = kind === 'audio' ? { audio: true } : { video: { width: 1280, height: 720 } };
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    const [track] = stream.getTracks();
    const sendEncodings = rids.map((rid, i) => ({ rid, scaleResolutionDownBy: 2 ** (rids.length - 1 - i) }));
    const init = { direction: 'sendonly', streams: [stream], ...(rids.length > 0 ? { sendEncodings } : {}) };
    this.pc.addTransceiver(track, init);
    return track.id;
  },

  unpublish(mid) {
    const transceiver = this.pc.getTransceivers().find((each) => each.mid === mid);
    this.pc.removeTrack(transceiver.sender);
    transceiver.direction = 'inactive';
  },

  stop(mid) {
    this.pc
      .getTransceivers()
      .find((each) => each.mid === mid)
      .stop();
  },

  receive(kind, count) {
    for (let i = 0; i < count; i++) this.pc.addTransceiver(kind, { direction: 'recvonly' });
  },

  async offer(iceRestart) {
    await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart }));
    return this.pc.localDescription.sdp;
  },

  async takeAnswer(sdp) {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
  },

  async answer(sdp) {
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    return this.pc.localDescription.sdp;
  },

  /** How each section stands. */
  sections() {
    return this.pc.getTransceivers().map(({ mid, currentDirection, sender, receiver }) => ({
      mid,
      direction: currentDirection,
      sends: (sender.getParameters().codecs ?? []).map(({ mimeType }) => mimeType),
      layers: (sender.getParameters().encodings ?? []).map(({ rid }) => rid ?? ''),
      receives: (receiver.getParameters().codecs ?? []).map(({ mimeType }) => mimeType),
      receivedTrack: receiver.track.id,
    }));
  },

  takeEvents() {
    const events = this.events;
    this.events = [];
    return events;
  },
};
