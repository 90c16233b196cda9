import { after, before } from 'node:test';
import { Stage } from './call.ts';
import { SluiceProcess } from './sluice-process.ts';

/** A Sluice and browsers for the tests of one file. */
export interface Setting {
  readonly sluice: SluiceProcess;
  readonly stage: Stage;
}

/** Begins before the first test of the file that calls it and ends after the last. */
export function setting(): Setting {
  let sluice: SluiceProcess | undefined;
  let stage: Stage | undefined;
  before(async () => {
    sluice = await SluiceProcess.start();
    stage = await Stage.open();
  });
  after(async () => {
    await stage?.[Symbol.asyncDispose]();
    await sluice?.stop();
  });
  const there = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('the setting is there from the first test on');
    return part;
  };
  return {
    get sluice() {
      return there(sluice);
    },
    get stage() {
      return there(stage);
    },
  };
}
