// Turns Ctrl-C, SIGTERM and SIGHUP into an abort signal, so that a command can close what it opened.

import { exitCodes } from './exit.ts';

/** A signal can arrive twice: sent to the process group, and forwarded by a wrapper. */
const echoMs = 500;

/**
 * Run `action` with a signal that aborts at Ctrl-C, SIGTERM or SIGHUP. A second Ctrl-C ends the
 * process at once; its worker then ends by itself.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      first = performance.now();
      controller.abort(new Error('interrupted'));
    } else if (performance.now() - first > echoMs) process.exit(exitCodes.interrupted);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);
  try {
    return await action(controller.signal);
  } finally {
    for (const name of signals) process.off(name, onSignal);
  }
}

/** Settles when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
