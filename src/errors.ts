// The base of every error that Anneal raises on purpose. A message says what was expected, what came
// instead, and what to do. `kind` is a stable name by which activities decide about retries.

/** Kinds of errors. */
export type ErrorKind =
  /** A run file, flag or workflow input that breaks its schema. */
  | 'InvalidConfig'
  /** Prompts, completions or other data that are not valid. */
  | 'InvalidData'
  /** A model folder that is missing, damaged, or of an unsupported architecture. */
  | 'InvalidModel'
  /** An artifact that is missing or does not match its hash. */
  | 'DamagedArtifact'
  /** A loss or gradient that is NaN or infinite. */
  | 'NonFinite'
  /** No Temporal server could be reached, found or built. */
  | 'NoServer'
  /** A store that cannot be written to or does not answer; it may recover at any time. */
  | 'StoreUnavailable'
  /** Too many verdicts are missing; the judge may recover. */
  | 'JudgeUnavailable'
  /** A judge that needs a person's attention: spent budget, rejected key, used-up quota. */
  | 'JudgeStopped'
  /** A child process that died or stopped answering; a retry may help. */
  | 'ProcessLost'
  /** A child process that makes no progress. */
  | 'ProcessStalled'
  /** Not enough memory; another process may have used it. */
  | 'OutOfMemory';

/** Kinds that a retry with the same inputs would meet again. */
export const permanentKinds: readonly ErrorKind[] = [
  'InvalidConfig',
  'InvalidData',
  'InvalidModel',
  'NonFinite',
  'JudgeStopped',
];

export interface AnnealErrorOptions extends ErrorOptions {
  /** The file in the run's folder that the error is about. */
  path?: string;
}

/** An error with a stable kind and a message for the person who has to act on it. */
export class AnnealError extends Error {
  readonly kind: ErrorKind;
  readonly path: string | undefined;

  constructor(kind: ErrorKind, message: string, options?: AnnealErrorOptions) {
    super(message, options);
    this.name = kind;
    this.kind = kind;
    this.path = options?.path;
  }
}

/**
 * A message without the excerpt that JSON.parse quotes from what it cannot read. A file that is not
 * what it should be may hold secrets, and messages reach the server and its Web UI.
 */
export function withoutExcerpt(message: string): string {
  return message.replace(/Unexpected token .* is not valid JSON/s, 'an unexpected character');
}

/** Disk problems and remedies by system error code (errno(3)). */
const diskProblems: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the quota is used up; free some space or raise the quota',
  EROFS: 'the disk is mounted read-only; remount it for writing',
  EACCES: 'this user has no access; give it permission to read and write there',
  EPERM: 'this user has no access; give it permission to read and write there',
  EIO: 'the disk reports an error; see the system log',
  ESTALE: 'the network disk is gone; mount it again',
};

/**
 * StoreUnavailable with path and remedy for an error of a disk that is full, read-only, inaccessible
 * or failing, InvalidConfig for a name that it does not take; any other error unchanged.
 * @param path of the file, in case the system error names none
 */
export function storeFailure(error: unknown, path?: string): unknown {
  const { code = '', path: named = path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENAMETOOLONG')
    return new AnnealError(
      'InvalidConfig',
      `${named ?? 'a file'}: expected a name that this file system takes, found a longer one; shorten it, or use another folder`,
      { cause: error },
    );
  const problem = diskProblems[code];
  if (problem === undefined || error instanceof AnnealError) return error;
  return new AnnealError(
    'StoreUnavailable',
    `${named ?? 'a file'}: ${problem} (${code}). Nothing is lost; the run retries and continues by itself.`,
    { cause: error },
  );
}
