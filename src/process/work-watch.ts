// A watchdog that measures the work a process does, not the clock: it does not end a process that is
// slow, or that has to wait for others.

import { AnnealError } from '../errors.ts';
import { processorTimeMs } from './processor-time.ts';

export interface WorkLimits {
  /** Processor time in milliseconds from one restart to the next; no limit if there is none. */
  cpuMs?: number;
  /** How long the process may use next to none. */
  idleMs: number;
}

/** The process used more processor time than its limit. */
export class Overworked extends AnnealError {}
/** The process was alive, but did not work. */
export class Idle extends AnnealError {}

/** Looks at a process so often until it counts as idle. */
const looks = 30;
/** A process that waits for nothing but messages still uses this share of a processor, about. */
const idleShare = 0.001;

/** Aborts its signal if a process works too much until it is restarted, or not at all. */
export class WorkWatch {
  readonly #pid: () => number | undefined;
  readonly #limits: WorkLimits;
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Processor time at the first look after the last restart, and when it was last seen to work. */
  #start: number | undefined;
  #quietFrom = 0;
  #quiet = 0;
  #restarts = 0;

  constructor(pid: () => number | undefined, limits: WorkLimits) {
    this.#pid = pid;
    this.#limits = limits;
    // Counted in looks, so that a pause of this process itself does not count.
    this.#timer = setInterval(() => void this.#look(), limits.idleMs / looks);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  restart(): void {
    this.#restarts++;
    this.#start = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { cpuMs = Number.POSITIVE_INFINITY, idleMs } = this.#limits;
    const restarts = this.#restarts;
    const pid = this.#pid();
    const used = pid === undefined ? undefined : await processorTimeMs(pid);
    // Unless something arrived in the meantime. What is gone, or cannot be measured, is not judged.
    if (used === undefined || restarts !== this.#restarts) return;
    const isFirst = this.#start === undefined;
    this.#start ??= used;
    if (isFirst || used - this.#quietFrom > idleMs * idleShare) {
      this.#quietFrom = used;
      this.#quiet = 0;
    } else if (++this.#quiet >= looks) {
      const found = `process ${pid} used no processor time for ${idleMs / 1000} s and was ended`;
      const why = 'somebody stopped it, or the machine lacks memory';
      this.#expire(new Idle('ProcessStalled', `${found}: ${why}`));
    }
    if (used - this.#start > cpuMs)
      this.#expire(
        new Overworked('ProcessLost', `process ${pid} used more than ${cpuMs} ms of a processor`),
      );
  }

  #expire(why: AnnealError): void {
    this.stop();
    this.#abort.abort(why);
  }
}
