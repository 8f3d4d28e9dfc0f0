// Writes a live run to a stream: a terminal is redrawn in place (run-screen.ts), a file or pipe gets
// the lines of a log (run-log.ts).

import { createLogUpdate } from 'log-update';
import type { Observation } from '../../client/run-state.ts';
import { RunLog } from './run-log.ts';
import { runLines } from './run-screen.ts';

export interface Display {
  /** Print a line that stays. */
  log(line: string): void;
  show(observation: Observation, elapsedMs: number): void;
  /** Keep what is shown, and move the cursor below it. */
  done(): void;
}

export function createDisplay(stream: NodeJS.WriteStream): Display {
  return stream.isTTY ? liveDisplay(stream) : plainDisplay(stream);
}

function liveDisplay(stream: NodeJS.WriteStream): Display {
  const update = createLogUpdate(stream);
  return {
    log: (line) => update.persist(line),
    show: (observation, elapsedMs) => update(runLines(observation, elapsedMs).join('\n')),
    done: () => update.done(),
  };
}

function plainDisplay(stream: NodeJS.WriteStream): Display {
  const runLog = new RunLog();
  const log = (line: string) => void stream.write(`${line}\n`);
  return { log, show: (observation) => runLog.next(observation).forEach(log), done: () => {} };
}
