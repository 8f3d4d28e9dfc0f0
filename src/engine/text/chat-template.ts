// A model folder's chat template, found and rendered as by transformers' apply_chat_template, with
// Hugging Face's JavaScript Jinja. One difference: it trims what JavaScript counts as white space;
// Python also trims U+001C to U+001F and U+0085, but not U+FEFF. prompt-format.ts encodes the text.

import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { readIfExists } from '../files/json.ts';
import type { SpecialTokens } from './added-tokens.ts';
import { readTokenizerConfig } from './tokenizer.ts';

/** A turn of a conversation. */
export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatTemplate {
  /**
   * The text of a conversation. If the last message is not the assistant's, the text ends where the
   * assistant's answer begins.
   * @throws AnnealError InvalidModel if the template refuses these messages
   */
  render(messages: readonly Message[], specialTokens: SpecialTokens): string;
}

/**
 * Read `chat_template.jinja`, otherwise the `chat_template` of tokenizer_config.json: a text, or the
 * entry named 'default' of a list.
 * @throws AnnealError InvalidModel if there is none or it is not valid
 */
export async function readChatTemplate(folder: string): Promise<ChatTemplate> {
  const { file, text } = await findTemplate(folder);
  const template = parse(file, text);
  return {
    render: (messages, specialTokens) => {
      try {
        return template.render({
          ...specialTokens,
          messages,
          add_generation_prompt: messages.at(-1)?.role !== 'assistant',
          tools: null,
          documents: null,
          anneal_strftime: formatFixedDate,
        });
      } catch (cause) {
        throw refusedBy(file, messages, cause as Error);
      }
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
  const text = await readIfExists(jinjaFile);
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
  return { file: found.file, text: defaultOf(found.file, found.declared) };
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

/** Ends with a newline, so that line-based rules still apply to the template's first line. */
const prologue = '{% set strftime_now = anneal_strftime %}\n';

function parse(file: string, text: string): Template {
  try {
    return new Template(prologue + text.replaceAll(/\r\n?/g, '\n'));
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AnnealError(
      'InvalidModel',
      `${file}: expected a chat template in Jinja, found one that cannot be parsed: ${reason}. Correct it, or use prompt format 'plain'.`,
      { cause },
    );
  }
}

function refusedBy(file: string, messages: readonly Message[], cause: Error): AnnealError {
  const roles = messages.map(({ role }) => role).join(', then ');
  const hint = messages.some(({ role }) => role === 'system')
    ? ' Some models accept no system message; try without one.'
    : '';
  return new AnnealError(
    'InvalidModel',
    `${file}: expected the chat template to accept messages of ${roles}; it refuses: ${cause.message}.${hint}`,
    { cause },
  );
}

/** Friday, 26 July 2024, midnight: the default date of Llama's templates. */
const fixedDate: Readonly<Record<string, string>> = {
  Y: '2024',
  y: '24',
  m: '07',
  d: '26',
  B: 'July',
  b: 'Jul',
  A: 'Friday',
  a: 'Fri',
  H: '00',
  M: '00',
  S: '00',
  '%': '%',
};

/** Templates call this for today's date. The date is fixed, since runs may continue past midnight. */
function formatFixedDate(format: string): string {
  return format.replaceAll(/%(.)/g, (directive, letter) => fixedDate[letter] ?? directive);
}
