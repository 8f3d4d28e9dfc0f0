// How a prompt's text becomes the tokens that a completion follows: as it stands, or as what the
// user says in the model's chat template.

import type { PromptFormat } from '../config/schema.ts';
import { AnnealError } from '../errors.ts';
import { type ChatTemplate, type Message, readChatTemplate } from './chat-template.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Token ids of a prompt, special tokens included. */
export type PromptEncoder = (prompt: string) => number[];

type FormatOf<K extends PromptFormat['kind']> = Extract<PromptFormat, { kind: K }>;

/**
 * The encoder of the prompts of a tokenizer's model folder.
 * @throws AnnealError InvalidModel where the folder lacks what the format needs; the encoder throws
 * it where a chat template refuses a prompt.
 */
export async function createPromptEncoder(
  tokenizer: Tokenizer,
  format: PromptFormat,
): Promise<PromptEncoder> {
  if (format.kind === 'plain') return plainEncoder(tokenizer, format);
  return chatEncoder(await readChatTemplate(tokenizer.folder), tokenizer, format);
}

function plainEncoder(tokenizer: Tokenizer, { bos }: FormatOf<'plain'>): PromptEncoder {
  const start = bos ? [bosIdOf(tokenizer)] : [];
  return (prompt) => [...start, ...tokenizer.encode(prompt)];
}

/** The template itself writes the token that begins a text, where its model has one. */
function chatEncoder(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  { system, prefill }: FormatOf<'chat'>,
): PromptEncoder {
  const before: Message[] = system === null ? [] : [{ role: 'system', content: system }];
  return (prompt) => {
    const messages: Message[] = [...before, { role: 'user', content: prompt }];
    return tokenizer.encode(template.render(messages, tokenizer.specialTokens) + prefill);
  };
}

function bosIdOf({ folder, specialTokens, idOf }: Tokenizer): number {
  const { bos_token: token } = specialTokens;
  const id = token === undefined ? undefined : idOf(token);
  if (id !== undefined) return id;
  throw new AnnealError(
    'InvalidModel',
    `${folder}/tokenizer_config.json: expected a bos_token that the tokenizer knows, since the prompt format asks for bos; found ${token === undefined ? 'none' : `'${token}'`}. Leave bos at false for this model.`,
  );
}
