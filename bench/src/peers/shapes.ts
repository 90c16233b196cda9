import type { Publishing } from '@sluice/load-tester';
import type { Member } from './adapter.ts';

/** Who is in which room and sends what: what every server is measured with. */
export interface Shape {
  readonly name: string;
  readonly title: string;
  readonly rooms: number;
  /** Of each room; publishers receive each other when there are no subscribers. */
  readonly publishers: number;
  readonly subscribers: number;
  readonly publishes: Readonly<Record<string, Publishing>>;
}

/** 30 frames a second, five to six packets each. */
const camera: Publishing = { kind: 'video', bitrateBps: 1_500_000 };
/** 50 packets a second. */
const microphone: Publishing = { kind: 'audio', bitrateBps: 32_000 };

/** One camera, so many who watch. */
export const oneTo = (subscribers: number): Shape => ({
  name: `1-${subscribers}`,
  title: `1 → ${subscribers}`,
  rooms: 1,
  publishers: 1,
  subscribers,
  publishes: { camera },
});

export const shapes: readonly Shape[] = [
  oneTo(10),
  oneTo(100),
  oneTo(500),
  { ...oneTo(5), name: 'rooms', title: '20 rooms of 1 → 5', rooms: 20 },
  {
    name: 'meetings',
    title: '10 rooms of 8 × 8, video and audio',
    rooms: 10,
    publishers: 8,
    subscribers: 0,
    publishes: { microphone, camera },
  },
  {
    name: 'audio',
    title: '10 rooms of 8 × 8, audio alone',
    rooms: 10,
    publishers: 8,
    subscribers: 0,
    publishes: { microphone },
  },
];

/** One room whose subscribers grow until something gives way. */
export const growing: Shape = { ...oneTo(0), name: 'full', title: '1 → as many as it takes' };

/** Who only publishes, room by room. */
export function sourcesOf(shape: Shape): Member[] {
  if (shape.subscribers === 0 && shape.publishers > 1) return [];
  return publishersOf(shape, false);
}

/** Who receives. */
export function receiversOf(shape: Shape): Member[] {
  if (shape.subscribers === 0 && shape.publishers > 1) return publishersOf(shape, true);
  return eachRoom(shape.rooms, shape.subscribers, (room, index) => subscriber(room, index));
}

export const subscriber = (room: string, index: number): Member => ({
  room,
  identity: `subscriber-${index}`,
  publishes: {},
  receives: true,
});

/** Streams that arrive at receivers, of each kind. */
export function streamsOf(shape: Shape): { readonly video: number; readonly audio: number } {
  const { rooms, publishers, subscribers, publishes } = shape;
  const streams = rooms * publishers * (subscribers === 0 ? publishers - 1 : subscribers);
  const count = (kind: Publishing['kind']): number =>
    streams * Object.values(publishes).filter((one) => one.kind === kind).length;
  return { video: count('video'), audio: count('audio') };
}

const publishersOf = ({ rooms, publishers, publishes }: Shape, receives: boolean): Member[] =>
  eachRoom(rooms, publishers, (room, index) => ({ room, identity: `publisher-${index}`, publishes, receives }));

const eachRoom = (rooms: number, members: number, make: (room: string, index: number) => Member): Member[] =>
  Array.from({ length: rooms }, (_, room) =>
    Array.from({ length: members }, (_, index) => make(`room-${room + 1}`, index)),
  ).flat();
