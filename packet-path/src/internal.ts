export { type Addon, loadAddon, type NativeThreadedPath } from './native.ts';
