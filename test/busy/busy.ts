// Judges programs twice, on the machine as it is and while it is made busy, and compares: a verdict
// must not depend on that.

import { type ChildProcess, spawn } from 'node:child_process';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramOutcome } from '../../src/rewards/sandbox/protocol.ts';
import { Sandbox } from '../../src/rewards/sandbox/sandbox.ts';
import { judgeOutcome } from '../../src/rewards/sandbox/verdict.ts';
import type { JudgedProgram, RunLanguage } from './programs.ts';

export interface Trouble {
  /** Processes that only compute. */
  load: number;
  /** Their priority, from -20 (first) to 19 (last). */
  loadPriority: number;
  /** The priority of the sandbox processes, every other time that they are continued. */
  priority: number;
  /** Sandbox processes are stopped so often, for half of that time. */
  stopEveryMs: number;
}

export interface BusyReport {
  programs: number;
  passed: number;
  seconds: { quiet: number; busy: number };
  /** Times that a sandbox process was stopped. */
  stops: number;
  /** Programs whose outcomes were not the same in every character, with both verdicts. */
  different: { name: string; quiet: string; busy: string }[];
}

const languages: RunLanguage[] = ['javascript', 'python'];
const limits = { timeLimitMs: 100, memoryLimitMb: 16 };

export async function compareBusy(
  programs: readonly JudgedProgram[],
  trouble: Trouble,
  log: (line: string) => void,
): Promise<BusyReport> {
  const quiet = await judge(programs, log);
  const making = new TroubleMaker(trouble);
  try {
    const busy = await judge(programs, log, making);
    const words = ({ prompt }: JudgedProgram, outcome: ProgramOutcome) => {
      const { passed, failure } = judgeOutcome(prompt.tests, outcome, prompt.language);
      return `${passed.toFixed(3)} ${failure ?? ''}`;
    };
    const verdicts = programs.map((program, index) => ({
      name: program.name,
      quiet: words(program, quiet.outcomes[index]!),
      busy: words(program, busy.outcomes[index]!),
    }));
    const isSame = (index: number) =>
      JSON.stringify(quiet.outcomes[index]) === JSON.stringify(busy.outcomes[index]);
    return {
      programs: programs.length,
      passed: verdicts.filter((verdict) => verdict.quiet.startsWith('1.000')).length,
      seconds: { quiet: quiet.seconds, busy: busy.seconds },
      stops: making.stops,
      different: verdicts.filter((_, index) => !isSame(index)),
    };
  } finally {
    making.stop();
  }
}

/** Judge all programs, both languages side by side. */
async function judge(
  programs: readonly JudgedProgram[],
  log: (line: string) => void,
  making?: TroubleMaker,
): Promise<{ outcomes: ProgramOutcome[]; seconds: number }> {
  const start = performance.now();
  const outcomes: ProgramOutcome[] = [];
  await Promise.all(
    languages.map(async (language) => {
      const own = [...programs.entries()].filter(([, it]) => it.prompt.language === language);
      const sandbox = new Sandbox(limits, language);
      const untroubled = making?.trouble(() => sandbox.pid);
      const onProgress = (done: number) => {
        if (done % 500 === 0) log(`${language}: ${done} of ${own.length}`);
      };
      try {
        const sources = own.map(([, { program }]) => program);
        const found = await sandbox.run(sources, { onProgress });
        for (const [at, [index]] of own.entries()) outcomes[index] = found[at]!;
      } finally {
        untroubled?.();
        await sandbox.close();
      }
    }),
  );
  return { outcomes, seconds: (performance.now() - start) / 1000 };
}

/** Makes the machine busy, and stops and continues processes, until it is stopped itself. */
class TroubleMaker {
  readonly #trouble: Trouble;
  readonly #load: ChildProcess[];
  stops = 0;

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
    this.#load = Array.from({ length: trouble.load }, () =>
      spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
    );
    for (const { pid } of this.#load) setPriority(pid!, trouble.loadPriority);
  }

  /** Trouble a process, whichever it is at the time. @returns what ends that */
  trouble(current: () => number | undefined): () => void {
    const { priority, stopEveryMs } = this.#trouble;
    let isOver = false;
    const loop = async () => {
      for (let round = 0; !isOver; round++, await delay(stopEveryMs / 2)) {
        const pid = current();
        if (pid === undefined) continue;
        attempt(() => setPriority(pid, round % 2 === 0 ? priority : getPriority()));
        attempt(() => process.kill(pid, 'SIGSTOP'));
        this.stops++;
        await delay(stopEveryMs / 2);
        attempt(() => process.kill(pid, 'SIGCONT'));
      }
    };
    void loop();
    return () => {
      isOver = true;
    };
  }

  stop(): void {
    for (const busy of this.#load) busy.kill('SIGKILL');
  }
}

/** The process may be gone meanwhile. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {}
}
