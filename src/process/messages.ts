// What passes between a process and its child: requests one way; progress, results and errors
// the other. Both ends and the types of what a child can do.

import { AnnealError, type ErrorKind } from '../errors.ts';

/** What one method takes, gives back, and reports on the way. */
export interface Method {
  payload: unknown;
  result: unknown;
  progress: unknown;
}
/** Everything a child does, by name: the contract that both ends are typed by. */
export type Methods<M> = { [K in keyof M]: Method };

export interface RequestMessage {
  id: number;
  method: string;
  payload: unknown;
}

export type ReplyMessage =
  | { id: number; type: 'progress'; progress: unknown }
  | { id: number; type: 'result'; result: unknown }
  | { id: number; type: 'error'; error: ErrorData };

/** An error as data: what survives the way between processes. */
interface ErrorData {
  name: string;
  kind?: ErrorKind;
  message: string;
  stack?: string | undefined;
  cause?: ErrorData;
}

/** Reduce whatever was thrown to data, its chain of causes included. */
export function packError(thrown: unknown): ErrorData {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) };
  return {
    name: thrown.name,
    message: thrown.message,
    stack: thrown.stack,
    ...(thrown instanceof AnnealError && { kind: thrown.kind }),
    ...(thrown.cause !== undefined && { cause: packError(thrown.cause) }),
  };
}

/** The error again: an AnnealError of the same kind, or a plain Error of the same name. */
export function unpackError(data: ErrorData): Error {
  const options = data.cause && { cause: unpackError(data.cause) };
  const error = data.kind
    ? new AnnealError(data.kind, data.message, options)
    : new Error(data.message, options);
  error.name = data.name;
  if (data.stack) error.stack = data.stack;
  return error;
}
