// Runs a script in a given Node as if it were this process: same streams, signals passed on, same
// exit code or signal at the end.

import { spawn } from 'node:child_process';

const guard = new URL('./end-with-parent.mjs', import.meta.url).href;

/**
 * @param {string} node path of the Node binary
 * @param {string[]} args script and arguments
 * @param {{cwd?: string, env?: object, endWithParent?: boolean}} options `endWithParent` ends the
 *   script with SIGTERM when this process has ended, even by SIGKILL
 * @returns {Promise<number | string>} the exit code, or the name of the signal that ended it
 */
export function runNode(node, args, { endWithParent = false, ...options } = {}) {
  const guarded = endWithParent ? ['--import', guard, ...args] : args;
  const stdio = ['inherit', 'inherit', 'inherit', ...(endWithParent ? ['ipc'] : [])];
  const child = spawn(node, guarded, { ...options, stdio });
  child.channel?.unref();
  const stopForwarding = forwardSignals(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      stopForwarding();
      resolve(signal ?? code);
    });
  });
}

/** End this process the way the script ended. */
export function exitLike(end) {
  if (typeof end === 'string') process.kill(process.pid, end);
  else process.exit(end);
}

function forwardSignals(child) {
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [
    signal,
    () => {
      // A terminal also sends Ctrl-C to the child; a second one would mean "exit immediately".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    },
  ]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
