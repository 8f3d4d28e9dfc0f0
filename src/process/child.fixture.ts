// The child of child-service.test.ts: misbehaves on demand.

import { setTimeout as delay } from 'node:timers/promises';
import { AnnealError } from '../errors.ts';
import { serve } from './serve.ts';

export interface TestMethods {
  echo: { payload: unknown; result: unknown; progress: never };
  count: { payload: number; result: number; progress: number };
  pid: { payload: null; result: number; progress: never };
  fail: { payload: 'anneal' | 'plain'; result: never; progress: never };
  exit: { payload: number; result: never; progress: never };
  crash: { payload: null; result: never; progress: never };
  hang: { payload: null; result: never; progress: string };
  /** Report progress a number of times at an interval. */
  report: { payload: { times: number; apartMs: number }; result: string; progress: number };
  fillMemory: { payload: null; result: never; progress: never };
  environment: { payload: null; result: string[]; progress: never };
}

serve<TestMethods>({
  echo: (payload) => payload,
  count: (to, { progress }) => {
    for (let done = 1; done <= to; done++) progress(done);
    return to;
  },
  pid: () => process.pid,
  fail: (how) => {
    const cause = new RangeError('the deeper reason');
    if (how === 'plain') throw new TypeError('a plain mistake', { cause });
    throw new AnnealError('InvalidModel', 'expected a model, got a test', { cause });
  },
  exit: (code) => {
    console.error('last words');
    process.exit(code);
  },
  crash: () => process.abort(),
  hang: (_, { progress }) => {
    progress('hanging');
    for (;;);
  },
  report: async ({ times, apartMs }, { progress }) => {
    for (let time = 1; time <= times; time++) {
      await delay(apartMs);
      progress(time);
    }
    return 'done';
  },
  fillMemory: () => {
    for (const kept: unknown[] = []; ; ) kept.push({ kept: kept.length });
  },
  environment: () => Object.keys(process.env),
});
