// Compares tokenizers and chat templates with Hugging Face's Python, using the fixtures of
// make_tokenizer_fixtures.py: the same ids, texts and conversations, character for character.
// Decoded text is Python's and may differ from the input: Qwen's tokenizer composes characters
// (NFC), and special tokens are omitted.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Message, readChatTemplate } from '../../src/engine/text/chat-template.ts';
import { renderTemplate } from '../../src/engine/text/jinja/renderer.ts';
import { createPromptEncoder } from '../../src/engine/text/prompt-format.ts';
import { readTokenizer } from '../../src/engine/text/tokenizer.ts';

interface Expected {
  texts: { text: string; ids: number[]; with_special: number[]; decoded: string }[];
  cut: { ids: number[]; decoded: string }[];
  prefill: string;
  chats: {
    system: string | null;
    user: string;
    text: string;
    ids: number[];
    prefilled_ids: number[];
  }[];
}

// The first text starts the process of templates.
beforeAll(() => renderTemplate('', [{}]));

describe.each(['tokenizer-qwen', 'tokenizer-llama'])('%s', async (name) => {
  const folder = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  const tokenizer = await readTokenizer(folder);
  const { texts, cut, chats, prefill } = expected;

  it.each(texts)('encodes and decodes $text', async ({ text, ids, decoded }) => {
    expect(await tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  it('decodes characters cut in two', () => {
    for (const { ids, decoded } of cut) expect(tokenizer.decode(ids)).toBe(decoded);
  });

  it('begins plain prompts as its post-processor does', async () => {
    const bos = tokenizer.specialTokens.bos_token !== undefined;
    const encode = await createPromptEncoder(
      tokenizer,
      { kind: 'plain', bos },
      tokenizer.vocabSize,
    );
    const rows = await encode(texts.map(({ text }) => text));
    expect(rows).toEqual(texts.map(({ with_special }) => with_special));
  });

  it.each(chats)('renders $system, $user', async ({ system, user, text, ids, prefilled_ids }) => {
    const messages: Message[] = [{ role: 'user', content: user }];
    if (system !== null) messages.unshift({ role: 'system', content: system });
    const template = await readChatTemplate(folder);
    expect(await template.render([messages], tokenizer.specialTokens)).toEqual([text]);
    const encode = async (first: string) =>
      (
        await createPromptEncoder(
          tokenizer,
          { kind: 'chat', system, prefill: first },
          tokenizer.vocabSize,
        )
      )([user]);
    expect(await encode('')).toEqual([ids]);
    expect(await encode(prefill)).toEqual([prefilled_ids]);
  });
});
