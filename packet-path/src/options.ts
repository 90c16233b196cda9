/** An address of this machine (0.0.0.0 and :: are all of them) and a UDP port; port 0 lets the system choose. */
export interface BindAddress {
  readonly address: string;
  readonly port: number;
}

/** The DTLS identity of a site: PEM texts that belong together. */
export interface Identity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Which spec of a session is newer: the higher epoch, then the higher generation. */
export interface Version {
  readonly epoch: number;
  readonly generation: number;
}

/** What has good defaults; see core/shard.h and io/engine.h. */
export interface Tuning {
  /** No valid ICE check for this long ends a session. */
  readonly consentTimeoutMs?: number;
  /** A session that never connected ends after this long. */
  readonly setupTimeoutMs?: number;
  /** Received packets that one shard holds at most. */
  readonly maxPackets?: number;
  readonly receiveBufferBytes?: number;
  readonly sendBufferBytes?: number;
  /** Pins one shard each (Linux). */
  readonly cpus?: readonly number[];
  /** `portable` uses nothing but POSIX. */
  readonly backend?: 'native' | 'portable';
}
