// Verdicts on a machine that is busy, or stops the sandbox's processes. `npm run busy` does the same
// to thousands of programs.

import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { program } from './program.fixture.ts';
import type { SandboxProgram } from './protocol.ts';
import { Sandbox } from './sandbox.ts';

const limits = { timeLimitMs: 100, memoryLimitMb: 16 };
const shortIdleMs = 2000;
// On a machine that is busy with other work too.
vi.setConfig({ testTimeout: 400_000 });
const sandboxes: Sandbox[] = [];
const load: ChildProcess[] = [];
afterEach(async () => {
  for (const busy of load.splice(0)) busy.kill('SIGKILL');
  await Promise.all(sandboxes.splice(0).map((sandbox) => sandbox.close()));
});

function open(...args: ConstructorParameters<typeof Sandbox>): Sandbox {
  const sandbox = new Sandbox(...args);
  sandboxes.push(sandbox);
  return sandbox;
}

const passing = { returned: '7' };
const failing = { failed: 'time limit' };
/** Programs that take most of their time, none of it, and more than they have. */
const programs: Record<'javascript' | 'python', SandboxProgram[]> = {
  javascript: [
    'function f() { for (let n = 0; n < 4e5; n++); return 7; }',
    'const f = () => 7;',
    'function f() { "a".repeat(1e6).indexOf("a".repeat(5e5) + "b"); return 7; }',
    'function f() { Array.from({ length: 3e4 }, (_, n) => n % 997).sort(); return 7; }',
  ].map((source) => program(source)),
  python: [
    'def f():\n    for n in range(500_000): pass\n    return 7',
    'def f(): return 7',
    'def f(): return sum(range(10 ** 12))',
    'def f():\n    sorted(range(5_000), key=str)\n    return 7',
  ].map((source) => program(source)),
};
const outcomes = [[passing], [passing], [failing], [passing]];

describe.skipIf(process.platform === 'win32').each(['javascript', 'python'] as const)(
  '%s',
  (language) => {
    const own = programs[language];

    it('stopped for longer than its limit at each program, and continued', async () => {
      const sandbox = open(limits, language);
      await sandbox.run([own[1]!]);
      const { pid } = sandbox;
      for (const [index, one] of own.entries()) {
        process.kill(pid!, 'SIGSTOP');
        const running = sandbox.run([one]);
        await delay(1500);
        process.kill(pid!, 'SIGCONT');
        expect(await running).toEqual([outcomes[index]]);
      }
      expect(sandbox.pid).toBe(pid);
    });

    it('with a tenth of the time, as on a slow machine', async () => {
      const sandbox = open(limits, language);
      const running = sandbox.run(own);
      let isOver = false;
      void running.finally(() => {
        isOver = true;
      });
      const signal = (name: NodeJS.Signals) => {
        if (sandbox.pid !== undefined) process.kill(sandbox.pid, name);
      };
      while (!isOver) {
        signal('SIGSTOP');
        await delay(90);
        signal('SIGCONT');
        await delay(10);
      }
      expect(await running).toEqual(outcomes);
    });

    it('last in line on a loaded machine', async () => {
      const sandbox = open(limits, language);
      await sandbox.run([own[1]!]);
      setPriority(sandbox.pid!, 19);
      for (let count = 4 * availableParallelism(); count > 0; count--)
        load.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
      for (const { pid } of load) setPriority(pid!, 15);
      expect(await sandbox.run(own)).toEqual(outcomes);
    });

    it('stopped for good', async () => {
      const sandbox = open(limits, language, shortIdleMs);
      await sandbox.run([own[1]!]);
      const { pid } = sandbox;
      process.kill(pid!, 'SIGSTOP');
      expect(await sandbox.run(own)).toEqual(outcomes);
      expect(sandbox.pid).not.toBe(pid);
    });
  },
);

it.skipIf(process.platform === 'win32')(
  'processes that are all stopped while they load are an error, and no verdict',
  async () => {
    const sandbox = open(limits, 'javascript', shortIdleMs);
    const stopping = setInterval(() => {
      if (sandbox.pid !== undefined) process.kill(sandbox.pid, 'SIGSTOP');
    }, 5);
    const stalled = { kind: 'ProcessStalled', message: expect.stringContaining('processor time') };
    await expect(sandbox.run(programs.javascript)).rejects.toMatchObject(stalled);
    clearInterval(stopping);
    expect(await sandbox.run(programs.javascript)).toEqual(outcomes);
  },
);
