// The child's end of a channel: answers the parent's requests with a table of handlers, and exits
// when the parent is gone. The parent's end is child-service.ts.

import { type Methods, packError, type ReplyMessage, type RequestMessage } from './messages.ts';
import { keepThreadPoolAwake } from './thread-pool.ts';

/** What a handler gets besides its payload. */
export interface CallContext<P> {
  /** Report progress to the caller. */
  progress: (progress: P) => void;
}

export type Handlers<M extends Methods<M>> = {
  [K in keyof M]: (
    payload: M[K]['payload'],
    context: CallContext<M[K]['progress']>,
  ) => M[K]['result'] | Promise<M[K]['result']>;
};

/**
 * Serve `handlers` to the parent until it closes the channel or dies; then this process exits.
 * Handlers start as requests arrive; one that must not overlap itself queues its work. Errors of
 * handlers reach the caller, an AnnealError with its kind.
 * @throws Error if the process was started without an IPC channel
 */
export function serve<M extends Methods<M>>(handlers: Handlers<M>): void {
  if (!process.send)
    throw new Error('expected to be started by a ChildService, over an IPC channel; found none');
  keepThreadPoolAwake();
  process.on('disconnect', () => process.exit());
  // A terminal's Ctrl-C reaches every process of the group, but the parent decides when to end.
  process.on('SIGINT', () => {});
  process.on('message', (request: RequestMessage) => void answer(handlers, request));
}

async function answer<M extends Methods<M>>(
  handlers: Handlers<M>,
  { id, method, payload }: RequestMessage,
): Promise<void> {
  const reply = (message: ReplyMessage) => process.send?.(message);
  try {
    if (!Object.hasOwn(handlers, method)) throw new Error(`no method '${method}' is served here`);
    const handler = handlers[method as keyof M];
    const progress = (value: unknown) => reply({ id, type: 'progress', progress: value });
    reply({ id, type: 'result', result: await handler(payload, { progress }) });
  } catch (thrown) {
    reply({ id, type: 'error', error: packError(thrown) });
  }
}
