import { createLocalAudioTrack, createLocalVideoTrack, VideoPresets } from 'livekit-client';
import type { LocalTracks } from '../call/call.ts';
import { deviceFailure, type Words } from '../call/words.ts';

export type Opened<T> = { readonly ok: true; readonly track: T } | { readonly ok: false; readonly words: Words };

/** Opens the camera for a look before the call; the same track is published then. */
export async function openCamera(deviceId: string | undefined) {
  return await open('camera', () =>
    createLocalVideoTrack({
      resolution: VideoPresets.h720.resolution,
      ...(deviceId === undefined ? {} : { deviceId }),
    }),
  );
}

export async function openMicrophone(deviceId: string | undefined) {
  return await open('microphone', () => createLocalAudioTrack(deviceId === undefined ? {} : { deviceId }));
}

async function open<T>(device: 'camera' | 'microphone', create: () => Promise<T>): Promise<Opened<T>> {
  try {
    return { ok: true, track: await create() };
  } catch (error) {
    return { ok: false, words: deviceFailure(device, error) };
  }
}

export function stopTracks({ camera, microphone }: LocalTracks): void {
  for (const opening of [camera, microphone]) void opening?.then((track) => track?.stop());
}
