// Encodes prompts as tokens: the plain text, or the user's message in the model's chat template.

import type { PromptFormat } from '../../config/schema/model.ts';
import { AnnealError } from '../../errors.ts';
import { type ChatTemplate, type Message, readChatTemplate } from './chat-template.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Token ids of a prompt, special tokens included. */
export type PromptEncoder = (prompt: string) => number[];

/** Token ids of a prompt and its whole completion, special tokens included. */
export type SequenceEncoder = (prompt: string, completion: string) => number[];

type FormatOf<K extends PromptFormat['kind']> = Extract<PromptFormat, { kind: K }>;

/**
 * A prompt encoder in the given format.
 * @throws AnnealError InvalidModel if the tokenizer's folder lacks what the format needs; the encoder
 * throws it if the chat template refuses a prompt
 */
export async function createPromptEncoder(
  tokenizer: Tokenizer,
  format: PromptFormat,
): Promise<PromptEncoder> {
  if (format.kind === 'plain') return plainEncoder(tokenizer, format);
  return chatEncoder(await readChatTemplate(tokenizer.folder), tokenizer, format);
}

/**
 * An encoder of prompts with their completions, for reward models: the text followed by the
 * tokenizer's eos_token, if it has one (as in TRL's RewardTrainer), or the conversation in the chat
 * template.
 * @throws AnnealError InvalidModel as `createPromptEncoder` does
 */
export async function createSequenceEncoder(
  tokenizer: Tokenizer,
  format: PromptFormat,
): Promise<SequenceEncoder> {
  if (format.kind === 'chat') {
    const template = await readChatTemplate(tokenizer.folder);
    return (prompt, completion) => {
      const answer: Message = { role: 'assistant', content: format.prefill + completion };
      const messages = [...messagesOf(prompt, format), answer];
      return tokenizer.encode(template.render(messages, tokenizer.specialTokens));
    };
  }
  const encode = plainEncoder(tokenizer, format);
  const { eos_token: token } = tokenizer.specialTokens;
  const eos = token === undefined ? undefined : tokenizer.idOf(token);
  const end = eos === undefined ? [] : [eos];
  return (prompt, completion) => [...encode(prompt + completion), ...end];
}

function plainEncoder(tokenizer: Tokenizer, { bos }: FormatOf<'plain'>): PromptEncoder {
  const start = bos ? [bosIdOf(tokenizer)] : [];
  return (prompt) => [...start, ...tokenizer.encode(prompt)];
}

/** No bos_token is added: the template writes it if the model has one. */
function chatEncoder(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  format: FormatOf<'chat'>,
): PromptEncoder {
  return (prompt) => {
    const text = template.render(messagesOf(prompt, format), tokenizer.specialTokens);
    return tokenizer.encode(text + format.prefill);
  };
}

function messagesOf(prompt: string, { system }: FormatOf<'chat'>): Message[] {
  const before: Message[] = system === null ? [] : [{ role: 'system', content: system }];
  return [...before, { role: 'user', content: prompt }];
}

function bosIdOf({ folder, specialTokens, idOf }: Tokenizer): number {
  const { bos_token: token } = specialTokens;
  const id = token === undefined ? undefined : idOf(token);
  if (id !== undefined) return id;
  throw new AnnealError(
    'InvalidModel',
    `${folder}/tokenizer_config.json: expected a bos_token that the tokenizer knows, because the prompt format sets bos; found ${token === undefined ? 'none' : `'${token}'`}. Set bos to false for this model.`,
  );
}
