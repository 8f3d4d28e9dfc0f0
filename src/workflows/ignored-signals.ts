// Signals cannot be refused, so whoever sent one that is not valid finds a note: in the worker's log
// and in the workflow's details.

import { log, setCurrentDetails, setDefaultSignalHandler } from '@temporalio/workflow';

/** Note that a signal is ignored, and why. */
export function ignoreSignal(signal: string, problem: string): void {
  log.warn('ignoring a signal', { signal, problem });
  setCurrentDetails(`**Ignored** the signal ${signal}: ${problem}`);
}

/** Ignore every signal without a handler; Temporal itself would keep it forever. */
export function ignoreUnknownSignals(workflow: string): void {
  setDefaultSignalHandler((name) => ignoreSignal(name, `${workflow} has no such signal`));
}
