// Messages between a process and its child: requests one way; progress, results and errors the
// other.

import { AnnealError, type ErrorKind } from '../errors.ts';

/** Types of one method: its argument, its result, and its progress reports. */
export interface Method {
  payload: unknown;
  result: unknown;
  progress: unknown;
}
/** All methods of a child by name: the contract of both ends. */
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

/** An error as data, to pass between processes. */
interface ErrorData {
  name: string;
  kind?: ErrorKind;
  message: string;
  stack?: string | undefined;
  cause?: ErrorData;
}

/** Turn a thrown value into data, with its chain of causes. */
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

/** The error from its data: an AnnealError of the same kind, or an Error of the same name. */
export function unpackError(data: ErrorData): Error {
  const options = data.cause && { cause: unpackError(data.cause) };
  const error = data.kind
    ? new AnnealError(data.kind, data.message, options)
    : new Error(data.message, options);
  error.name = data.name;
  if (data.stack) error.stack = data.stack;
  return error;
}
