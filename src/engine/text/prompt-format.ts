// Encodes prompts as tokens: the plain text, or the user's message in the model's chat template.

import type { PromptFormat } from '../../config/schema/model.ts';
import { AnnealError } from '../../errors.ts';
import {
  type ChatTemplate,
  type Message,
  readChatTemplate,
  type TemplateVariables,
} from './chat-template.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Token ids of each prompt, special tokens included. */
export type PromptEncoder = (prompts: readonly string[]) => Promise<number[][]>;

/** Token ids of each prompt and its whole completion, special tokens included. */
export type SequenceEncoder = (sequences: readonly Sequence[]) => Promise<number[][]>;

interface Sequence {
  prompt: string;
  completion: string;
}

type FormatOf<K extends PromptFormat['kind']> = Extract<PromptFormat, { kind: K }>;

/**
 * A prompt encoder in the given format, for a model with `vocabSize` token ids.
 * @throws AnnealError InvalidModel if the tokenizer's folder lacks what the format needs; the encoder
 * throws it if the chat template refuses a prompt, or if the model does not have a token
 */
export async function createPromptEncoder(
  tokenizer: Tokenizer,
  format: PromptFormat,
  vocabSize: number,
): Promise<PromptEncoder> {
  const encode =
    format.kind === 'plain'
      ? plainEncoder(tokenizer, format)
      : chatEncoder(await readChatTemplate(tokenizer.folder), tokenizer, format);
  return async (prompts) => checked(tokenizer, vocabSize, await encode(prompts));
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
  vocabSize: number,
): Promise<SequenceEncoder> {
  const encode =
    format.kind === 'plain'
      ? plainSequenceEncoder(tokenizer, format)
      : chatSequenceEncoder(await readChatTemplate(tokenizer.folder), tokenizer, format);
  return async (sequences) => checked(tokenizer, vocabSize, await encode(sequences));
}

function chatSequenceEncoder(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  format: FormatOf<'chat'>,
): SequenceEncoder {
  return async (sequences) => {
    const conversations = sequences.map(({ prompt, completion }): Message[] => [
      ...messagesOf(prompt, format),
      { role: 'assistant', content: format.prefill + completion },
    ]);
    const texts = await template.render(conversations, variablesOf(tokenizer, format));
    return tokenizer.encodeAll(texts);
  };
}

function plainSequenceEncoder(tokenizer: Tokenizer, format: FormatOf<'plain'>): SequenceEncoder {
  const encode = plainEncoder(tokenizer, format);
  const { eos_token: token } = tokenizer.specialTokens;
  const eos = token === undefined ? undefined : tokenizer.idOf(token);
  const end = eos === undefined ? [] : [eos];
  return async (sequences) => {
    const rows = await encode(sequences.map(({ prompt, completion }) => prompt + completion));
    return rows.map((row) => [...row, ...end]);
  };
}

function plainEncoder(tokenizer: Tokenizer, { bos }: FormatOf<'plain'>): PromptEncoder {
  const start = bos ? [bosIdOf(tokenizer)] : [];
  return async (prompts) => {
    const rows = await tokenizer.encodeAll(prompts);
    return rows.map((row) => [...start, ...row]);
  };
}

/** No bos_token is added: the template writes it if the model has one. */
function chatEncoder(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  format: FormatOf<'chat'>,
): PromptEncoder {
  return async (prompts) => {
    const conversations = prompts.map((prompt) => messagesOf(prompt, format));
    const texts = await template.render(conversations, variablesOf(tokenizer, format));
    return tokenizer.encodeAll(texts.map((text) => text + format.prefill));
  };
}

/** As in transformers, a variable of the format hides a special token of the same name. */
function variablesOf(
  { specialTokens }: Tokenizer,
  { variables = {} }: FormatOf<'chat'>,
): TemplateVariables {
  return { ...specialTokens, ...variables };
}

function messagesOf(prompt: string, { system }: FormatOf<'chat'>): Message[] {
  const before: Message[] = system === null ? [] : [{ role: 'system', content: system }];
  return [...before, { role: 'user', content: prompt }];
}

/** The rows. @throws AnnealError InvalidModel for a token that the model does not have */
function checked({ folder, tokenOf }: Tokenizer, vocabSize: number, rows: number[][]): number[][] {
  const unknown = rows.flat().find((id) => id >= vocabSize);
  if (unknown === undefined) return rows;
  throw new AnnealError(
    'InvalidModel',
    `${folder}: expected the tokenizer to use the model's ${vocabSize} token ids (vocab_size), found id ${unknown}, the token ${JSON.stringify(tokenOf(unknown))}. Use the tokenizer that the model was trained with; if the token was added to it, give the model an embedding for it.`,
  );
}

function bosIdOf({ folder, specialTokens, idOf }: Tokenizer): number {
  const { bos_token: token } = specialTokens;
  const id = token === undefined ? undefined : idOf(token);
  if (id !== undefined) return id;
  throw new AnnealError(
    'InvalidModel',
    `${folder}/tokenizer_config.json: expected a bos_token, because the prompt format sets bos; found none. Set bos to false for this model.`,
  );
}
