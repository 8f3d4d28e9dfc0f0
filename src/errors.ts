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
  /** An object store that does not answer, or refuses; trying again may help. */
  | 'StoreUnavailable'
  /** Too many verdicts are missing; a judge may be back later. */
  | 'JudgeUnavailable'
  /** A judge that people have to look after: a budget spent, a key refused, a quota gone. */
  | 'JudgeStopped'
  /** A child process that died or stopped answering; trying again may help. */
  | 'ProcessLost';

/** Kinds that a retry with the same inputs meets again. */
export const permanentKinds: readonly ErrorKind[] = [
  'InvalidConfig',
  'InvalidData',
  'InvalidModel',
  'NonFinite',
  'JudgeStopped',
];

/** An error with a stable kind and a message written for the person who has to act on it. */
export class AnnealError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = kind;
    this.kind = kind;
  }
}
