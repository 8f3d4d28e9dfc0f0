// Programs with one mistake. A mutant parses and (usually) computes something else; a damaged
// program does not parse, or does not define the wanted function.

import {
  type BinaryExpression,
  type Literal,
  type MemberExpression,
  type Node,
  type ReturnStatement,
  tokenizer,
} from 'acorn';
import type { Uniforms } from '../../src/engine/sampling/random.ts';
import { pick } from './choose.ts';
import { nodesOf } from './program.ts';

const operators: Record<string, string[]> = {
  '>': ['>=', '<'],
  '<': ['<=', '>'],
  '>=': ['>', '<='],
  '<=': ['<', '>='],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['+', '/'],
  '/': ['*'],
  '%': ['/'],
  '+=': ['-=', '='],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['||'],
};

const methods: Record<string, string> = {
  some: 'every',
  every: 'some',
  find: 'filter',
  filter: 'map',
  floor: 'ceil',
  ceil: 'round',
  round: 'floor',
  min: 'max',
  max: 'min',
  push: 'unshift',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  padStart: 'padEnd',
  padEnd: 'padStart',
  toUpperCase: 'toLowerCase',
  toLowerCase: 'toUpperCase',
  replaceAll: 'replace',
  flatMap: 'map',
  slice: 'at',
};

/** A part of the code, from `start` to `end`, that one of `choices` can replace. */
interface Site {
  start: number;
  end: number;
  choices: string[];
}

function operatorSite(node: BinaryExpression, program: string): Site[] {
  const from = node.left.end;
  const start = from + program.slice(from, node.right.start).indexOf(node.operator);
  const choices = operators[node.operator] ?? [];
  return [{ start, end: start + node.operator.length, choices }];
}

function literalSite(node: Literal): Site[] {
  if (typeof node.value !== 'number') return [];
  const choices = [node.value + 1, node.value + 2, ...(node.value > 1 ? [node.value - 1] : [])];
  return [{ start: node.start, end: node.end, choices: choices.map(String) }];
}

function methodSite({ property, computed }: MemberExpression): Site[] {
  if (computed || property.type !== 'Identifier') return [];
  const other = methods[property.name];
  return other ? [{ start: property.start, end: property.end, choices: [other] }] : [];
}

/** Removes a `return`, except before an object, which would then parse as a block. */
function returnSite({ start, argument }: ReturnStatement): Site[] {
  if (!argument || argument.type === 'ObjectExpression') return [];
  return [{ start, end: argument.start, choices: [''] }];
}

function sitesAt(node: Node, program: string): Site[] {
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
    case 'AssignmentExpression':
      return operatorSite(node as BinaryExpression, program);
    case 'Literal':
      return literalSite(node as Literal);
    case 'MemberExpression':
      return methodSite(node as MemberExpression);
    case 'ReturnStatement':
      return returnSite(node as ReturnStatement);
    default:
      return [];
  }
}

/** Parts of `for` headers whose change could make a loop endless. */
function stepsOf(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => ('update' in node && node.update ? [node.update as Node] : []));
}

/** The program with one operator, constant, method or `return` changed; its loops still end. */
export function mutant(program: string, random: Uniforms): string {
  const nodes = nodesOf(program);
  const steps = stepsOf(nodes);
  const inStep = (site: Site) => steps.some((s) => site.start >= s.start && site.end <= s.end);
  const sites = nodes
    .flatMap((node) => sitesAt(node, program))
    .filter((site) => site.choices.length > 0 && !inStep(site));
  if (sites.length === 0) return program;
  const { start, end, choices } = pick(random, sites);
  return program.slice(0, start) + pick(random, choices) + program.slice(end);
}

/** The program cut off after some token of its code. */
export function truncated(program: string, random: Uniforms): string {
  const code = program.indexOf('function');
  const ends = [...program.matchAll(/\w+|[^\w\s]/g)]
    .map((match) => match.index + match[0].length)
    .filter((end) => end > code + 'function'.length);
  return program.slice(0, pick(random, ends.slice(0, -1)));
}

/** The program with one bracket of its code removed. */
export function withoutBracket(program: string, random: Uniforms): string {
  const at = pick(random, bracketsOf(program));
  return program.slice(0, at) + program.slice(at + 1);
}

/** The program with one bracket of its code doubled. */
export function withExtraBracket(program: string, random: Uniforms): string {
  const at = pick(random, bracketsOf(program));
  return program.slice(0, at + 1) + program.slice(at);
}

/** Positions of brackets in the code, except in strings and around template expressions. */
function bracketsOf(program: string): number[] {
  const positions: number[] = [];
  let openHoles = 0;
  for (const { type, start } of tokenizer(program, { ecmaVersion: 'latest' })) {
    if (type.label === '${') openHoles++;
    else if (type.label === '}' && openHoles > 0) openHoles--;
    else if ('(){}[]'.includes(type.label)) positions.push(start);
  }
  return positions;
}
