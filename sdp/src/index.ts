export * from './formats.ts';
export * from './model.ts';
export {
  defaultParseLimits,
  type Parsed,
  type ParseLimits,
  parseDescription,
  parseFaults,
  type Unparsed,
} from './parse.ts';
export { writeDescription } from './write.ts';
