// What a task of the embedded family is: a behaviour that a short JavaScript function can have,
// and the ways to ask for it (entry name, parameter names). The families lie beside this file;
// rendering programs is ../program.ts, choosing which tasks are held out is ../split.ts.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Param {
  name: string;
  /** JSDoc type. */
  type: string;
  /** What it is, in two or three words. */
  text: string;
}

/** What a function does, with the programs that do it. Bodies use the names of `params`. */
export interface Behaviour {
  /** Unique in its family, such as `greater-5`. */
  key: string;
  /** The task as an order: one sentence with its full stop. */
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

/** Behaviours that share a form and the names one would give them. */
export interface Family {
  name: string;
  entries: string[];
  behaviours: Behaviour[];
}

/** A behaviour with the names that a prompt asks for: one variant of a family. */
export interface Task {
  id: string;
  family: Family;
  behaviour: Behaviour;
  entry: string;
  /** The wanted name of each parameter, in order. */
  paramNames: string[];
}

/** Names a prompt may ask for in place of a behaviour's own. */
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

/** Every pair of an element of `left` and one of `right`. */
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

/** A punctuation mark as a word, for the keys of behaviours. */
export function markName(mark: string): string {
  const name = markNames[mark];
  if (!name) throw new Error(`'${mark}' has no name; add one to markNames`);
  return name;
}
