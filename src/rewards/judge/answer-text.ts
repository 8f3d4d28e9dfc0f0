// Finds a judge's verdict in a text that has more in it: reasoning, prose, a fence, the JSON twice.

import type { z } from 'zod';

const reasoning = /<(think|thinking|reasoning|reflection)>[\s\S]*?(<\/\1>|$)/gi;
/** Where a chat template has opened the reasoning, the answer only closes it. */
const reasoningBefore = /^[\s\S]*<\/(think|thinking|reasoning|reflection)>/i;
/** Braces that may begin the verdict, from the last one back. */
const mostTried = 1000;

/** The last complete JSON object of a text that fits the schema; undefined if there is none. */
export function lastObject<S extends z.ZodType>(text: string, schema: S): z.output<S> | undefined {
  const answer = text.replace(reasoning, '').replace(reasoningBefore, '');
  let start = answer.lastIndexOf('{');
  for (let tried = 0; start >= 0 && tried < mostTried; tried++) {
    const found = schema.safeParse(objectAt(answer, start));
    if (found.success) return found.data;
    start = start === 0 ? -1 : answer.lastIndexOf('{', start - 1);
  }
  return undefined;
}

/** The JSON object that begins at a brace; undefined if none does. */
function objectAt(text: string, start: number): unknown {
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at++) {
    const letter = text[at];
    if (isText && letter === '\\') at++;
    else if (letter === '"') isText = !isText;
    else if (!isText && letter === '{') depth++;
    else if (!isText && letter === '}' && --depth === 0) return parsed(text.slice(start, at + 1));
  }
  return undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
