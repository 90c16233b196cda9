export * from './config.ts';
export * from './main.ts';
export type { Machine, MachineAddress, OpenPacketPath, PacketPathPort, PacketPathWish } from './ports.ts';
