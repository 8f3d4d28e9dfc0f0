// The program of a completion: its text, or what a Markdown fence in it holds.

import type { AnswerFormat } from '../../config/schema/model.ts';
import type { Prompt } from '../../records/prompts.ts';
import { definitionOf } from './definitions.ts';
import { programBlock } from './fences.ts';
import { asScript } from './module-syntax.ts';

const unknownFormat: AnswerFormat = { kind: 'plain', fences: true };
/** For texts that are programs as they stand, such as references. */
export const bareFormat: AnswerFormat = { kind: 'plain', fences: false };

/**
 * The whole program of a completion, with the prompt's own text if it continues that. JavaScript is
 * a script; TypeScript becomes one when its types are removed.
 */
export function programOf(
  prompt: Prompt,
  completion: string,
  format: AnswerFormat = unknownFormat,
): string {
  const text = textOf(prompt, completion, format);
  return prompt.language === 'javascript' ? asScript(text) : text;
}

function textOf(prompt: Prompt, completion: string, format: AnswerFormat): string {
  const before = format.kind === 'chat' ? format.prefill : prompt.prompt;
  const block = format.fences ? programBlock(prompt, before, completion) : null;
  if (!prompt.continues) return block?.text ?? completion;
  if (!block) return prompt.prompt + completion;
  const holdsPrompt = format.kind === 'plain' && block.isOpenedBefore;
  return holdsPrompt ? block.text : continued(prompt, block.text);
}

/** The prompt with the rest of its program, or with a definition that replaces its own. */
function continued(prompt: Prompt, text: string): string {
  const replaced = definitionOf(prompt, text) && definitionOf(prompt, prompt.prompt);
  return prompt.prompt.slice(0, replaced?.index) + text;
}
