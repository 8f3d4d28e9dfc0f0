// The parent's end of a channel to a child process: typed calls with progress, time limits and
// cancellation, over a child that starts when first called and again after it died. What the
// child does is its entry file's business; serve.ts is the child's end.

import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AnnealError, type ErrorKind } from '../errors.ts';
import { countMemoryKills, saysNoMemory } from './memory.ts';
import { type Methods, type ReplyMessage, unpackError } from './messages.ts';
import { StallWatch } from './stall-watch.ts';

export interface ChildOptions {
  /** The module that the child runs; it calls `serve`. See `entryUrl`. */
  entry: URL;
  /** What errors call the child, such as `sandbox`. */
  name: string;
  /** Node's own flags for the child; none by default. */
  execArgv?: string[];
  /** The child's environment; the parent's by default. */
  env?: NodeJS.ProcessEnv;
}

export interface CallOptions<P> {
  /** Aborting ends the child, and with it every call in flight; this one rejects with the reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: P) => void) | undefined;
  /** A call unanswered for so long ends the child and rejects with ProcessLost. */
  timeoutMs?: number | undefined;
  /** A call that for so long neither answers nor reports progress ends it with ProcessStalled. */
  stallMs?: number | undefined;
}

interface PendingCall {
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
  onProgress: ((progress: unknown) => void) | undefined;
  /** Why this call had its child killed; the others of that child are merely lost. */
  failure?: unknown;
}

interface Child {
  process: ChildProcess;
  pending: Map<number, PendingCall>;
  /** The end of what the child wrote to stdout and stderr. */
  output: string;
  /** Processes that the system had killed for memory before. */
  memoryKills: number;
  closed: Promise<void>;
}

const outputTailChars = 2000;

/**
 * The URL of a module beside the calling one, with the caller's own extension: `.ts` in the
 * checkout, `.js` in the build. `entryUrl(import.meta.url, './model-process')`.
 */
export function entryUrl(moduleUrl: string, name: string): URL {
  return new URL(name + extname(fileURLToPath(moduleUrl)), moduleUrl);
}

/** A child process as a service with the methods `M`. An idle one keeps no process alive. */
export class ChildService<M extends Methods<M>> {
  readonly #options: ChildOptions;
  #child: Child | undefined;
  #lastId = 0;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  /** Process id of the child that runs now, if one does. */
  get pid(): number | undefined {
    return this.#child?.process.pid;
  }

  /**
   * Call a method of the child, starting a child where none runs. Calls may overlap.
   * @throws what the method threw, an AnnealError with its kind; AnnealError ProcessLost where
   * the child died or ran out of time, OutOfMemory where it died of that, ProcessStalled where it
   * made no progress; the signal's reason where that aborted.
   */
  async call<K extends keyof M & string>(
    method: K,
    payload: M[K]['payload'],
    { signal, onProgress, timeoutMs, stallMs }: CallOptions<M[K]['progress']> = {},
  ): Promise<M[K]['result']> {
    signal?.throwIfAborted();
    this.#child ??= this.#start();
    const child = this.#child;
    const id = ++this.#lastId;
    const kill = (failure: unknown) => this.#kill(child, id, failure);
    const onAbort = () => kill(signal?.reason);
    const onTimeout = () =>
      kill(this.#lost(child, `gave no answer to '${method}' within ${timeoutMs} ms`));
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
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
        const told = (progress: M[K]['progress']) => {
          stall?.restart();
          onProgress?.(progress);
        };
        child.pending.set(id, { resolve, reject, onProgress: told });
        hold(child, 'ref');
        child.process.send({ id, method, payload });
      });
    } finally {
      clearTimeout(timer);
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
    const { entry, execArgv = [], env = process.env } = this.#options;
    const forked = fork(entry, [], {
      execArgv,
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const memoryKills = countMemoryKills();
    const child: Child = { process: forked, pending: new Map(), output: '', memoryKills, closed };
    for (const stream of [forked.stdout, forked.stderr])
      stream?.on('data', (chunk: Buffer) => {
        child.output = (child.output + chunk.toString()).slice(-outputTailChars);
      });
    forked.on('message', (reply: ReplyMessage) => receive(child, reply));
    forked.on('error', (error) => this.#end(child, `failed: ${error.message}`));
    forked.on('close', (code, killedBy) => {
      const how = killedBy ? `was killed by ${killedBy}` : `exited with code ${code}`;
      const noMemory = saysNoMemory(child.output) || (killedBy && wasMemoryKill(child));
      if (noMemory) this.#end(child, `ran out of memory: it ${how}`, 'OutOfMemory');
      else this.#end(child, how);
      resolve();
    });
    return child;
  }

  /** Forget a call; a child left without any does not keep this process alive. */
  #settle(child: Child, id: number): void {
    child.pending.delete(id);
    if (child.pending.size === 0) hold(child, 'unref');
  }

  /** Kill the child on behalf of one call, which rejects with `failure` once it is gone. */
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
    const output = child.output.trim();
    const tail = output ? `its last output:\n${output}` : 'it wrote nothing to stderr';
    return new AnnealError(
      kind,
      `the ${this.#options.name} process (pid ${child.process.pid}) ${what}; ${tail}`,
    );
  }
}

/** Have the child keep this process alive (`ref`), or not. */
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
  const call = child.pending.get(reply.id);
  if (reply.type === 'progress') call?.onProgress?.(reply.progress);
  else if (reply.type === 'result') call?.resolve(reply.result);
  else call?.reject(unpackError(reply.error));
}
