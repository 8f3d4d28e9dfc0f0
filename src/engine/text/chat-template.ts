// A model folder's chat template, found and rendered as by transformers' apply_chat_template. Jinja
// itself renders it (jinja/renderer.ts); prompt-format.ts encodes the text.

import { join } from 'node:path';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { readModelText } from '../files/model-files.ts';
import type { RenderOutcome } from './jinja/protocol.ts';
import { renderTemplate } from './jinja/renderer.ts';
import { readTokenizerConfig } from './tokenizer.ts';

/** A turn of a conversation. */
export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Values for a template by name, such as `enable_thinking`. */
export type TemplateVariables = Readonly<Record<string, unknown>>;

export interface ChatTemplate {
  /**
   * The text of each conversation. If the last message is not the assistant's, the text ends where
   * the assistant's answer begins.
   * @param variables special tokens by name, and others that the template reads
   * @throws AnnealError InvalidModel if the template is not valid or refuses these messages
   */
  render(
    conversations: readonly (readonly Message[])[],
    variables: TemplateVariables,
  ): Promise<string[]>;
}

/** Many times the largest one that is known. */
const mostTemplateChars = 1024 * 1024;

/**
 * Read `chat_template.jinja`, otherwise the `chat_template` of tokenizer_config.json: a text, or the
 * entry named 'default' of a list. Whether it is valid shows when it renders.
 * @throws AnnealError InvalidModel if there is none
 */
export async function readChatTemplate(folder: string): Promise<ChatTemplate> {
  const { file, text } = await findTemplate(folder);
  return {
    render: async (conversations, variables) => {
      const given = conversations.map((messages) => ({
        tools: null,
        documents: null,
        ...variables,
        messages: messages.map(({ role, content }) => ({ role, content: content.toWellFormed() })),
        add_generation_prompt: messages.at(-1)?.role !== 'assistant',
      }));
      const outcome = await renderTemplate(text, given);
      if ('texts' in outcome) return outcome.texts;
      throw refusedBy(file, conversations[0]!, outcome);
    },
  };
}

const configSchema = z.union([
  z.string(),
  z.array(z.looseObject({ name: z.string(), template: z.string() })),
]);

/** Whether the folder has a chat template, valid or not. */
export async function hasChatTemplate(folder: string): Promise<boolean> {
  return (await declaredTemplate(folder)) !== null;
}

/** The folder's chat template, unchecked, and the file it is in; null if there is none. */
async function declaredTemplate(
  folder: string,
): Promise<{ file: string; declared: unknown } | null> {
  const jinjaFile = join(folder, 'chat_template.jinja');
  const text = await readModelText(jinjaFile);
  if (text !== null) return { file: jinjaFile, declared: text };
  const file = join(folder, 'tokenizer_config.json');
  const { chat_template: declared = null } = await readTokenizerConfig(folder);
  return declared === null ? null : { file, declared };
}

export async function findTemplate(folder: string): Promise<{ file: string; text: string }> {
  const found = await declaredTemplate(folder);
  if (found === null)
    throw new AnnealError(
      'InvalidModel',
      `${folder}: expected a chat template, found neither chat_template.jinja nor a chat_template in tokenizer_config.json. Choose a chat model, or use prompt format 'plain'.`,
    );
  const text = defaultOf(found.file, found.declared);
  if (text.length <= mostTemplateChars) return { file: found.file, text };
  throw new AnnealError(
    'InvalidModel',
    `${found.file}: expected a chat template of at most ${mostTemplateChars} characters, found ${text.length}. Correct it, or use prompt format 'plain'.`,
  );
}

function defaultOf(file: string, declared: unknown): string {
  const parsed = configSchema.safeParse(declared);
  const expected = `${file}: expected chat_template to be a text, or a list of {name, template} with one named 'default'`;
  if (!parsed.success) throw new AnnealError('InvalidModel', `${expected}, found another value`);
  if (typeof parsed.data === 'string') return parsed.data;
  const found = parsed.data.find(({ name }) => name === 'default');
  if (found) return found.template;
  const names = parsed.data.map(({ name }) => `'${name}'`).join(', ');
  throw new AnnealError('InvalidModel', `${expected}, found ${names || 'an empty list'}`);
}

function refusedBy(
  file: string,
  messages: readonly Message[],
  { failure, reason }: Extract<RenderOutcome, { failure: string }>,
): AnnealError {
  if (failure === 'syntax')
    return new AnnealError(
      'InvalidModel',
      `${file}: expected a chat template in Jinja, found one that cannot be parsed: ${reason}. Correct it, or use prompt format 'plain'.`,
    );
  if (failure === 'limit' || failure === 'memory')
    return new AnnealError(
      'InvalidModel',
      `${file}: expected a chat template that writes a conversation quickly, found one beyond the limits of time, memory or output: ${reason}. Correct it, or use prompt format 'plain'.`,
    );
  const roles = messages.map(({ role }) => role).join(', then ');
  const hint = messages.some(({ role }) => role === 'system')
    ? ' Some models accept no system message; try without one.'
    : '';
  return new AnnealError(
    'InvalidModel',
    `${file}: expected the chat template to accept messages of ${roles}; it refuses: ${reason}.${hint}`,
  );
}
