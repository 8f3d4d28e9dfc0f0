// The base of every error that Anneal raises on purpose. A message says what was expected,
// what came instead, and what to do; `kind` is the stable name by which an activity decides
// whether a retry can help.

/** What went wrong, as a stable name. */
export type ErrorKind =
  /** A run file, flag or workflow input that breaks its schema. */
  | 'InvalidConfig'
  /** Prompts, completions or other data that cannot be read. */
  | 'InvalidData'
  /** A model folder that is missing, damaged, or of an unsupported architecture. */
  | 'InvalidModel'
  /** An artifact whose bytes do not match their hash, or that is gone. */
  | 'DamagedArtifact'
  /** A loss or gradient that is NaN or infinite. */
  | 'NonFinite'
  /** No Temporal server could be reached, found or built. */
  | 'NoServer'
  /** A store that cannot be written to or does not answer; it may be put right at any time. */
  | 'StoreUnavailable'
  /** Too many verdicts are missing; a judge may be back later. */
  | 'JudgeUnavailable'
  /** A judge that people have to look after: a budget spent, a key refused, a quota gone. */
  | 'JudgeStopped'
  /** A child process that died or stopped answering; trying again may help. */
  | 'ProcessLost'
  /** A child process that lives and gets no further. */
  | 'ProcessStalled'
  /** More memory was asked for than there is; another process may have had it. */
  | 'OutOfMemory';

/** Kinds that a retry with the same inputs meets again. */
export const permanentKinds: readonly ErrorKind[] = [
  'InvalidConfig',
  'InvalidData',
  'InvalidModel',
  'NonFinite',
  'JudgeStopped',
];

export interface AnnealErrorOptions extends ErrorOptions {
  /** The file that the error is about, in the run's folder. */
  path?: string;
}

/** An error with a stable kind and a message written for the person who has to act on it. */
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

/** What is the matter with a disk by the system's code (errno(3)), and what to do. */
const troubles: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the quota is used up; free some space or raise it',
  EROFS: 'the disk is mounted read-only; mount it for writing',
  EACCES: 'this user has no access; give it permission to read and write there',
  EPERM: 'this user has no access; give it permission to read and write there',
  EIO: 'the disk fails; see the system log',
  ESTALE: 'the network disk is gone; mount it again',
};

/**
 * The error to throw in place of `error`: StoreUnavailable, with the place and what to do, where a
 * disk is full, read-only, closed to this user or failing; else `error` itself.
 * @param path of the file, where the system does not name one.
 */
export function storeFailure(error: unknown, path?: string): unknown {
  const { code = '', path: named = path } = (error ?? {}) as NodeJS.ErrnoException;
  const trouble = troubles[code];
  if (trouble === undefined || error instanceof AnnealError) return error;
  return new AnnealError(
    'StoreUnavailable',
    `${named ?? 'a file'}: ${trouble} (${code}). Nothing is lost; the run tries again and goes on by itself.`,
    { cause: error },
  );
}
