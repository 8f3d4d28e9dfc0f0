// Puts a live run on the terminal: redrawn in place where somebody watches, as lines of a log
// where the output goes to a file or another program. What is shown is view.ts.

import { createLogUpdate } from 'log-update';
import { NewsFeed, type Observation, runLines } from './view.ts';

export interface Display {
  /** A line that stays. */
  log(line: string): void;
  show(observation: Observation, elapsedMs: number): void;
  /** Leave what is shown on the screen, and the cursor under it. */
  done(): void;
}

/** The display that suits the stream. */
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
  const feed = new NewsFeed();
  const log = (line: string) => void stream.write(`${line}\n`);
  return { log, show: (observation) => feed.next(observation).forEach(log), done: () => {} };
}
