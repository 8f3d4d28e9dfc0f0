// Names that a source text defines at its top level, found by lines, so that the text need not parse.

import type { Prompt } from '../../records/prompts.ts';

type Language = Prompt['language'];

const inScripts =
  /^(?:export\s+(?:default\s+)?)?(?:async\s+)?(?:function\b\s*\*?|const\b|let\b|var\b)\s*([\w$]+)/gm;
const definitions: Record<Language, RegExp> = {
  javascript: inScripts,
  typescript: inScripts,
  python: /^(?:async\s+)?def\s+(\w+)/gm,
};

/** A name, and where its definition begins in the text. */
export interface Definition {
  name: string;
  index: number;
}

/** The definitions of functions and variables, in order. */
export function definitionsIn(text: string, language: Language): Definition[] {
  return [...text.matchAll(definitions[language])].map(({ 1: name, index }) => ({
    name: name!,
    index,
  }));
}

/** The last definition of a prompt's entry in a text. */
export function definitionOf(
  { entry, language }: Pick<Prompt, 'entry' | 'language'>,
  text: string,
): Definition | undefined {
  return definitionsIn(text, language).findLast(({ name }) => name === entry);
}
