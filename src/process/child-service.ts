// The parent's end of a channel to a child process: typed calls with progress and cancellation. The
// child starts with the first call, and again after it died. Its entry file says what it does;
// serve.ts is the child's end.

import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AnnealError, type ErrorKind } from '../errors.ts';
import { plainEnvironment } from './environment.ts';
import { countMemoryKills, saysNoMemory } from './memory.ts';
import { type Methods, type ReplyMessage, unpackError } from './messages.ts';
import { RecentOutput } from './recent-output.ts';
import { StallWatch } from './stall-watch.ts';

export interface ChildOptions {
  /** The module that the child runs; it calls `serve`. See `entryUrl`. */
  entry: URL;
  /** Name of the child in errors, such as `sandbox`. */
  name: string;
  /** Node's own flags for the child; none by default. */
  execArgv?: string[];
  /** The program that is started with these flags and the entry; this process's Node by default. */
  execPath?: string;
  /** The child's environment; by default what of the parent's holds no secrets. */
  env?: NodeJS.ProcessEnv;
}

export interface CallOptions<P> {
  /** Aborting ends the child and every call in flight; this call rejects with the reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: P) => void) | undefined;
  /** A call without answer or progress for this long ends the child with ProcessStalled. */
  stallMs?: number | undefined;
}

interface PendingCall {
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
  onProgress: ((progress: unknown) => void) | undefined;
  /** Why this call killed the child; its other calls are lost. */
  failure?: unknown;
}

interface Child {
  process: ChildProcess;
  pending: Map<number, PendingCall>;
  output: RecentOutput;
  /** Number of processes that the system had killed for memory before. */
  memoryKills: number;
  closed: Promise<void>;
}

/**
 * The URL of a module beside the calling one, with the caller's own extension: `.ts` in the
 * checkout, `.js` in the build. `entryUrl(import.meta.url, './model-process')`.
 */
export function entryUrl(moduleUrl: string, name: string): URL {
  return new URL(name + extname(fileURLToPath(moduleUrl)), moduleUrl);
}

/** A child process with the methods `M`. An idle child does not keep this process alive. */
export class ChildService<M extends Methods<M>> {
  readonly #options: ChildOptions;
  #child: Child | undefined;
  #lastId = 0;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  /** Process id of the current child, if any. */
  get pid(): number | undefined {
    return this.#child?.process.pid;
  }

  /**
   * Call a method of the child; starts a child if none runs. Calls may overlap.
   * @throws the method's error, an AnnealError with its kind; AnnealError ProcessLost if the child
   * died, OutOfMemory if it died of that, ProcessStalled if it made no progress; the signal's reason
   * if it aborted.
   */
  async call<K extends keyof M & string>(
    method: K,
    payload: M[K]['payload'],
    { signal, onProgress, stallMs }: CallOptions<M[K]['progress']> = {},
  ): Promise<M[K]['result']> {
    signal?.throwIfAborted();
    this.#child ??= this.#start();
    const child = this.#child;
    const id = ++this.#lastId;
    const kill = (failure: unknown) => this.#kill(child, id, failure);
    const onAbort = () => kill(signal?.reason);
    const onStall = () =>
      kill(
        this.#lost(
          child,
          `made no progress with '${method}' for ${stallMs! / 1000} s`,
          'ProcessStalled',
        ),
      );
    const stall = stallMs === undefined ? undefined : new StallWatch(stallMs, onStall);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        const onReport = (progress: M[K]['progress']) => {
          stall?.restart();
          onProgress?.(progress);
        };
        child.pending.set(id, { resolve, reject, onProgress: onReport });
        hold(child, 'ref');
        child.process.send({ id, method, payload });
      });
    } finally {
      stall?.stop();
      signal?.removeEventListener('abort', onAbort);
      this.#settle(child, id);
    }
  }

  /** End the child; calls in flight reject with ProcessLost. A later call starts a new one. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    hold(child, 'ref');
    child.process.kill('SIGKILL');
    await child.closed;
  }

  #start(): Child {
    const { entry, execPath = process.execPath, execArgv = [] } = this.#options;
    const { env = plainEnvironment() } = this.#options;
    const forked = fork(entry, [], {
      execPath,
      execArgv,
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const memoryKills = countMemoryKills();
    const output = new RecentOutput();
    const child: Child = { process: forked, pending: new Map(), output, memoryKills, closed };
    for (const stream of [forked.stdout, forked.stderr]) output.follow(stream);
    forked.on('message', (reply: ReplyMessage) => receive(child, reply));
    forked.on('error', (error) => this.#end(child, `failed: ${error.message}`));
    forked.on('close', (code, killedBy) => {
      const how = killedBy ? `was killed by ${killedBy}` : `exited with code ${code}`;
      const noMemory = saysNoMemory(output.text) || (killedBy && wasMemoryKill(child));
      if (noMemory) this.#end(child, `ran out of memory: it ${how}`, 'OutOfMemory');
      else this.#end(child, how);
      resolve();
    });
    return child;
  }

  /** Forget a call; a child without calls does not keep this process alive. */
  #settle(child: Child, id: number): void {
    child.pending.delete(id);
    if (child.pending.size === 0) hold(child, 'unref');
  }

  /** Kill the child for one call, which then rejects with `failure`. */
  #kill(child: Child, id: number, failure: unknown): void {
    const call = child.pending.get(id);
    if (call) call.failure ??= failure;
    if (this.#child === child) this.#child = undefined;
    child.process.kill('SIGKILL');
  }

  #end(child: Child, what: string, kind?: ErrorKind): void {
    if (this.#child === child) this.#child = undefined;
    for (const call of child.pending.values())
      call.reject(call.failure ?? this.#lost(child, what, kind));
  }

  #lost(child: Child, what: string, kind: ErrorKind = 'ProcessLost'): AnnealError {
    const { name } = this.#options;
    return new AnnealError(
      kind,
      `the ${name} process (pid ${child.process.pid}) ${what}; ${child.output.describe()}`,
    );
  }
}

/** Let the child keep this process alive (`ref`), or not (`unref`). */
function hold({ process: forked }: Child, how: 'ref' | 'unref'): void {
  forked[how]();
  forked.channel?.[how]();
  for (const stream of [forked.stdout, forked.stderr])
    (stream as { ref?: () => void; unref?: () => void } | null)?.[how]?.();
}

function wasMemoryKill({ memoryKills }: Child): boolean {
  return countMemoryKills() > memoryKills;
}

function receive(child: Child, reply: ReplyMessage): void {
  child.output.noteLife();
  const call = child.pending.get(reply.id);
  if (reply.type === 'progress') call?.onProgress?.(reply.progress);
  else if (reply.type === 'result') call?.resolve(reply.result);
  else call?.reject(unpackError(reply.error));
}
