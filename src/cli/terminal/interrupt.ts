// Turns Ctrl-C, SIGTERM, SIGHUP and a closed output into an abort signal, so that a command can close
// what it opened.

import { exitCodes } from './exit.ts';

/** A signal can arrive twice: sent to the process group, and forwarded by a wrapper. */
const echoMs = 500;

/**
 * Run `action` with a signal that aborts at Ctrl-C, SIGTERM or SIGHUP, and when nobody reads the
 * output any more. A second Ctrl-C ends the process at once; its worker then ends by itself.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const abort = () => {
    first = performance.now();
    controller.abort(new Error('interrupted'));
  };
  const onSignal = () => {
    if (!controller.signal.aborted) abort();
    else if (performance.now() - first > echoMs) process.exit(exitCodes.interrupted);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);
  closers.add(abort);
  if (isOutputClosed) abort();
  try {
    return await action(controller.signal);
  } finally {
    closers.delete(abort);
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

/** What writing to a pipe without a reader reports, by platform, or to a terminal that is gone. */
const closedCodes = ['EPIPE', 'ECONNRESET', 'EOF', 'EIO'];
const closers = new Set<() => void>();
let isOutputClosed = false;

/**
 * End quietly when the reader of stdout or stderr has ended, as in `anneal … | head -1`. Node ignores
 * SIGPIPE, which ends other programs there. What cannot be written for another reason, such as a
 * full disk, is an error.
 */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (isOutputClosed) return;
      isOutputClosed = closedCodes.includes(error.code ?? '');
      if (!isOutputClosed) {
        if (stream === process.stdout) process.stderr.write(`error: stdout: ${error.message}\n`);
        process.exit(exitCodes.failed);
      }
      process.exitCode = exitCodes.outputClosed;
      if (closers.size === 0) process.exit();
      for (const close of closers) close();
    });
}

/** The exit code of a command; a closed output comes first, whatever the command made of it. */
export function finalExitCode(code: number | string | null | undefined) {
  return isOutputClosed ? exitCodes.outputClosed : code;
}
