// Parses JavaScript within limits. Everything that walks a tree recurses, so a tree is only handed
// out if every walk of it fits the stack, with a wide margin.

import { type Options, type Program, parse } from 'acorn';

/** The version that the sandbox's interpreter supports. */
export const ecmaVersion = 2023;

export interface ReadingLimits {
  /** Characters of the text. */
  characters: number;
  /** Nodes of the tree on the way to the deepest one. */
  levels: number;
}

/** Reading takes less than a second within these limits, and half of the stack. */
export const readingLimits: ReadingLimits = { characters: 65_536, levels: 500 };

/** A program that may be legal, but is too long or too deep to read. */
export class UnreadableProgram extends Error {
  override readonly name = 'UnreadableProgram';
}

/** The tree of a program. @throws SyntaxError; UnreadableProgram */
export function parseWithin(
  source: string,
  options: Omit<Options, 'ecmaVersion'> = {},
  { characters, levels }: ReadingLimits = readingLimits,
): Program {
  if (source.length > characters)
    throw new UnreadableProgram(`longer than ${characters} characters: ${source.length}`);
  const ast = parsed(source, options);
  if (isDeeper(ast, levels)) throw new UnreadableProgram(`nested more than ${levels} levels deep`);
  return ast;
}

function parsed(source: string, options: Omit<Options, 'ecmaVersion'>): Program {
  try {
    return parse(source, { ...options, ecmaVersion });
  } catch (error) {
    // The message names a place that depends on how much stack was left.
    if ((error as Error).message.startsWith('Not enough stack space'))
      throw new UnreadableProgram('nested too deeply');
    throw error;
  }
}

/** The result of `read`. @throws UnreadableProgram if it exhausts the stack */
export function withinStack<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new UnreadableProgram('nested too deeply');
    throw error;
  }
}

function isDeeper(ast: Program, levels: number): boolean {
  let row: object[] = [ast];
  for (let level = 1; row.length > 0; level++) {
    if (level > levels) return true;
    row = row.flatMap((node) => Object.values(node).flat().filter(isNode));
  }
  return false;
}

function isNode(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'type' in value;
}
