// What the process of chat templates is asked, and what it answers.

export interface RenderRequest {
  /** URL of Pyodide's main module: the process may not search for it. */
  pyodide: string;
  /** A chat template in Jinja. */
  template: string;
  /** The variables of each text. */
  variables: Record<string, unknown>[];
}

/**
 * `syntax`: the template is not valid; `refused`: it raises an error; `limit`: it takes too many
 * steps or writes too much; `memory`: it fills or breaks the interpreter, which is then of no use.
 */
type Failure = 'syntax' | 'refused' | 'limit' | 'memory';

/** One text for each of the request's variables, or the first failure. */
export type RenderOutcome = { texts: string[] } | { failure: Failure; reason: string };

export interface TemplateMethods {
  render: { payload: RenderRequest; result: RenderOutcome; progress: never };
}
