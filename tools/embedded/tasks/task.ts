// A task for the embedded policy: a behaviour of a short JavaScript function, and the names that a
// prompt asks for (entry, parameters). The families are in this folder; ../program.ts renders
// programs, ../split.ts chooses the held-out tasks.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Param {
  name: string;
  /** JSDoc type. */
  type: string;
  /** A description in two or three words. */
  text: string;
}

/** A function's behaviour and the programs that have it. Bodies use the names of `params`. */
export interface Behaviour {
  /** Unique in its family, such as `greater-5`. */
  key: string;
  /** The task as an instruction: one sentence with its full stop. */
  statement: string;
  params: Param[];
  returns: { type: string; text: string };
  /** Equally good function bodies, unindented; the first is the reference solution's. */
  bodies: string[];
  /** Bodies that give the right result with needless work. */
  wasteful?: string[];
  /** Argument lists of the tests, edge cases among them. */
  cases: Json[][];
}

/** Behaviours that share a form and fitting names. */
export interface Family {
  name: string;
  entries: string[];
  behaviours: Behaviour[];
}

/** A behaviour with the names that a prompt asks for. */
export interface Task {
  id: string;
  family: Family;
  behaviour: Behaviour;
  entry: string;
  /** The wanted name of each parameter, in order. */
  paramNames: string[];
}

/** Names that a prompt may ask for instead of a behaviour's own. */
const paramAlternatives: Record<string, string[]> = {
  values: ['values', 'numbers', 'list'],
  value: ['value', 'amount', 'num'],
  text: ['text', 'input', 'line'],
  items: ['items', 'list', 'rows'],
  item: ['item', 'row', 'entry'],
  end: ['end', 'limit', 'stop'],
};

/** Every way of asking for the behaviour: entry names times parameter names. */
export function tasksOf(family: Family, behaviour: Behaviour): Task[] {
  const names = behaviour.params.map((param) => paramAlternatives[param.name] ?? [param.name]);
  const namings = names.reduce<string[][]>(
    (lists, choices) => lists.flatMap((list) => choices.map((name) => [...list, name])),
    [[]],
  );
  return family.entries.flatMap((entry) =>
    namings.map((paramNames) => ({
      id: `${family.name}/${behaviour.key}/${[entry, ...paramNames].join('-')}`,
      family,
      behaviour,
      entry,
      paramNames,
    })),
  );
}

/** The text that the policy completes: the task and the wanted signature, as comments. */
export function promptOf(task: Task): string {
  return `// ${task.behaviour.statement}\n// ${task.entry}(${task.paramNames.join(', ')})\n`;
}

/** The whole numbers from `first` to `last`, both included. */
export function span(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** All pairs of an element of `left` and one of `right`. */
export function pairs<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  return left.flatMap((a) => right.map((b): [A, B] => [a, b]));
}

const markNames: Record<string, string> = {
  '-': 'dash',
  _: 'underscore',
  '.': 'dot',
  '...': 'dots',
  ',': 'comma',
  ' ': 'space',
  '/': 'slash',
  '+': 'plus',
  '*': 'star',
  '#': 'hash',
  '~': 'tilde',
  '0': 'zero',
  '[': 'square',
  ']': 'square',
  '(': 'round',
  ')': 'round',
  '<': 'angle',
  '>': 'angle',
};

/** The name of a punctuation mark, for the keys of behaviours. */
export function markName(mark: string): string {
  const name = markNames[mark];
  if (!name) throw new Error(`'${mark}' has no name; add one to markNames`);
  return name;
}
