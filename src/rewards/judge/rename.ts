// Renames what the author of a JavaScript program named: variables, functions, classes, labels,
// private names and properties. One name becomes one other name wherever it stands, so that names
// that were the same stay the same, and those that differed differ.

import type { AnyNode, Program } from 'acorn';
import { languageNames, namesOfRuns } from '../programs/globals.ts';
import { nodeSource } from '../sandbox/javascript/node.ts';

/** Replaces a range of a program's text. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Names that a program must or may look up by their text. */
export interface KeptNames {
  entry: string;
  /** Words of the prompt and its tests: what a program returns may have them as keys. */
  given: ReadonlySet<string>;
  /** Words of the literals that are shown whole: a property may be looked up by them. */
  literals: ReadonlySet<string>;
}

type Place = 'variable' | 'property' | 'private name' | 'label';
interface Use {
  name: string;
  place: Place;
  start: number;
  end: number;
}

/** Edits that rename, numbered in the order of the text. */
export function renamesOf(ast: Program, kept: KeptNames): Edit[] {
  const uses = usesOf(ast);
  const byText = usesText(ast, uses);
  const stays = ({ name, place }: Use) => {
    if (place === 'label' || place === 'private name') return false;
    const asProperty = isLanguageProperty(name) || kept.given.has(name) || kept.literals.has(name);
    if (name === kept.entry || (place === 'property' && asProperty)) return true;
    return place === 'variable' && (isLanguageName(name) || (byText && asProperty));
  };
  const numbers = numbered(uses, stays);
  const textOf = (use: Use) => (stays(use) ? use.name : `v${numbers.get(use.name)}`);
  return [...Map.groupBy(uses, ({ start }) => start)].flatMap(([start, [first, second]]) => {
    const text = textOf(first!);
    // Shorthand: a key and a variable in the same place.
    const value = second ? textOf(second) : text;
    const [name, end] = [first!.name, first!.end];
    const by = value === text ? text : `${text}: ${value}`;
    return by === name ? [] : [{ start, end, text: by }];
  });
}

/** New numbers, none of which makes a name that stays. */
function numbered(uses: readonly Use[], stays: (use: Use) => boolean): Map<string, number> {
  const taken = new Set(uses.filter(stays).map(({ name }) => name));
  const numbers = new Map<string, number>();
  let next = 0;
  for (const use of uses) {
    if (stays(use) || numbers.has(use.name)) continue;
    while (taken.has(`v${next}`)) next++;
    numbers.set(use.name, next++);
  }
  return numbers;
}

/** Every place of a name, in the order of the text; a shorthand property's key before its value. */
function usesOf(ast: Program): Use[] {
  const uses: Use[] = [];
  visit(ast, (node, parent) => {
    if (node.type === 'Identifier') {
      const place = placeOf(node, parent);
      if (place) uses.push({ name: node.name, place, start: node.start, end: node.end });
    } else if (node.type === 'PrivateIdentifier')
      uses.push({ name: node.name, place: 'private name', start: node.start + 1, end: node.end });
  });
  const order = ({ place }: Use) => (place === 'property' ? 0 : 1);
  return uses.sort((a, b) => a.start - b.start || order(a) - order(b));
}

function placeOf(node: AnyNode, parent: AnyNode): Place | null {
  switch (parent.type) {
    case 'MemberExpression':
      return parent.property === node && !parent.computed ? 'property' : 'variable';
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.key === node && !parent.computed ? 'property' : 'variable';
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return 'label';
    case 'MetaProperty':
      return null;
    default:
      return 'variable';
  }
}

/** Whether variables may be looked up by their names as text. */
function usesText(ast: Program, uses: readonly Use[]): boolean {
  let found = uses.some(
    ({ name }) => name === 'eval' || name === 'Function' || name === 'globalThis',
  );
  visit(ast, (node) => {
    found ||= node.type === 'WithStatement';
  });
  return found;
}

/** What may be names. */
export function wordsOf(texts: readonly string[]): Set<string> {
  return new Set(
    texts.flatMap((text) => text.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu) ?? []),
  );
}

/** Call `see` with each node and its parent. */
export function visit(ast: Program, see: (node: AnyNode, parent: AnyNode) => void): void {
  const open: [AnyNode, AnyNode][] = [[ast, ast]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [node, parent] = next;
    see(node, parent);
    for (const child of Object.values(node).flat())
      if (typeof child === 'object' && child !== null && 'type' in child)
        open.push([child as AnyNode, node]);
  }
}

function isLanguageName(name: string): boolean {
  return languageNames.has(name) || namesOfRuns.has(name);
}

function isLanguageProperty(name: string): boolean {
  languageProperties ??= namesOfLanguage();
  return languageProperties.has(name);
}

let languageProperties: ReadonlySet<string> | undefined;

/** Names of properties that the language and the sandbox define, options included. */
function namesOfLanguage(): Set<string> {
  const globals = [...languageNames].map((name) => Reflect.get(globalThis, name) as unknown);
  const made = [[].values(), new Map().entries(), new Set().values(), ''.matchAll(/./g), ''];
  const generators = [function* () {}, async function* () {}, async () => {}];
  const values = [...globals, ...made, ...generators].filter((it) => it !== undefined);
  const holders = values.flatMap((value) => {
    const { prototype } = value as { prototype?: unknown };
    return [value, prototype].flatMap(withPrototypes);
  });
  return new Set([
    ...holders.flatMap(Object.getOwnPropertyNames),
    // What programs have of Node.
    ...wordsOf([nodeSource]),
    ...'argv cause configurable cwd done enumerable env exit exitCode exports get groups index indices input isTTY main on once platform raw readFileSync set stderr stdin stdout then uptime value writable write'.split(
      ' ',
    ),
    ...'base caseFirst currency ignorePunctuation maximumFractionDigits minimumFractionDigits minimumIntegerDigits numeric sensitivity style useGrouping'.split(
      ' ',
    ),
  ]);
}

function withPrototypes(value: unknown): object[] {
  const found: object[] = [];
  for (
    let at = value === undefined || value === null ? null : Object(value);
    at;
    at = Object.getPrototypeOf(at)
  )
    found.push(at);
  return found;
}
