// From a task to the text of a program: its function, the names in it, its doc comment. corpus.ts
// makes the random choices and the deliberate mistakes.

import { type Node, parse } from 'acorn';
import { full } from 'acorn-walk';
import type { Behaviour, Task } from './tasks/task.ts';

/** Wording of a doc comment; every combination is complete. */
export interface Wording {
  /** "Sums the values" instead of "Sum the values". */
  thirdPerson: boolean;
  /** What the tags contain: a value's type, its description, or both. */
  detail: 'type' | 'text' | 'both';
}

/** The function, under the names that its body was written with. */
export function functionOf(behaviour: Behaviour, entry: string, body: string): string {
  const params = behaviour.params.map((param) => param.name).join(', ');
  return `function ${entry}(${params}) {\n${body.replace(/^/gm, '  ')}\n}\n`;
}

/** Nodes of a program, in the order of their position. */
export function nodesOf(program: string): Node[] {
  const nodes: Node[] = [];
  full(parse(program, { ecmaVersion: 'latest' }), (node) => nodes.push(node));
  return nodes.sort((a, b) => a.start - b.start);
}

/** Names of variables and parameters in a program, by first appearance, without property names. */
export function identifiersOf(program: string): { name: string; start: number; end: number }[] {
  return nodesOf(program).flatMap((node) =>
    node.type === 'Identifier'
      ? [{ name: program.slice(node.start, node.end), start: node.start, end: node.end }]
      : [],
  );
}

/** The program with its variables renamed, except where the new name is already taken. */
export function rename(program: string, names: ReadonlyMap<string, string>): string {
  const identifiers = identifiersOf(program);
  const taken = new Set(identifiers.map(({ name }) => name).filter((name) => !names.has(name)));
  let result = program;
  for (const { name, start, end } of identifiers.reverse()) {
    const renamed = names.get(name);
    if (renamed !== undefined && !taken.has(renamed))
      result = result.slice(0, start) + renamed + result.slice(end);
  }
  return result;
}

/** The sentence of a behaviour as its function's description. */
export function summaryOf(behaviour: Behaviour, { thirdPerson }: Wording): string {
  if (!thirdPerson) return behaviour.statement;
  return behaviour.statement.replace(/^[A-Z][a-z]*/, (verb) =>
    /(?:s|x|ch)$/.test(verb) ? `${verb}es` : verb === 'Copy' ? 'Copies' : `${verb}s`,
  );
}

/** The lines of the `@param` tags, one per parameter, and of `@returns`. */
export function tagsOf(behaviour: Behaviour, names: readonly string[], { detail }: Wording) {
  const tag = (...words: string[]) => words.filter(Boolean).join(' ');
  const type = (name: string) => (detail === 'text' ? '' : `{${name}}`);
  const text = (words: string) => (detail === 'type' ? '' : words);
  const { params, returns } = behaviour;
  return {
    params: params.map((p, i) => tag('@param', type(p.type), names[i]!, text(p.text))),
    returns: tag('@returns', type(returns.type), text(returns.text)),
  };
}

/** A JSDoc block of the given lines; a single one stays on one line. */
export function docBlock(lines: readonly string[]): string {
  if (lines.length === 1) return `/** ${lines[0]} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}

/** The task's program with the first of its bodies, documented in full. */
export function referenceOf(task: Task): string {
  const { behaviour, entry, paramNames } = task;
  const code = functionOf(behaviour, entry, behaviour.bodies[0]!);
  const wording: Wording = { thirdPerson: true, detail: 'both' };
  const { params, returns } = tagsOf(behaviour, paramNames, wording);
  const doc = [summaryOf(behaviour, wording), ...params, returns];
  return docBlock(doc) + rename(code, paramRenames(task));
}

/** Maps the names in a behaviour's bodies to those that its task asks for. */
export function paramRenames({ behaviour, paramNames }: Task): Map<string, string> {
  return new Map(behaviour.params.map((param, i) => [param.name, paramNames[i]!]));
}
