import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveInput } from '../../config/paths.ts';
import { type PromptFormat, promptFormatSchema } from '../../config/schema/model.ts';
import { renderTemplate } from './jinja/renderer.ts';
import { createPromptEncoder, createSequenceEncoder } from './prompt-format.ts';
import { readTokenizer } from './tokenizer.ts';

const policy = resolveInput('models/policy', 'model.path');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-format-'));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    await cp(join(policy, file), join(folder, file));
  const template =
    "<|endoftext|>{% for m in messages %}{{ m.role ~ ': ' ~ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
  await writeFile(join(folder, 'chat_template.jinja'), template);
  // The first text starts the process of templates.
  await renderTemplate('', [{}]);
});
afterAll(() => rm(folder, { recursive: true }));

const tokenizer = await readTokenizer(policy);
const plain: PromptFormat = { kind: 'plain', bos: false };
const chat = promptFormatSchema.parse({ kind: 'chat' }) as Extract<PromptFormat, { kind: 'chat' }>;
const encode = async (prompt: string, format: PromptFormat) =>
  (await (await createPromptEncoder(await readTokenizer(folder), format, 1024))([prompt]))[0]!;

const encodeWhole = async (prompt: string, completion: string, format: PromptFormat) =>
  (
    await (
      await createSequenceEncoder(await readTokenizer(folder), format, 1024)
    )([{ prompt, completion }])
  )[0]!;

describe('plain', () => {
  it('with a completion ends with the eos_token', async () => {
    const ids = await encodeWhole('// f(x)\n', 'f(x);', plain);
    expect(ids).toEqual(await tokenizer.encode('// f(x)\nf(x);<|im_end|>'));
  });

  it("is the prompt's own tokens", async () => {
    const prompt = '\t// f(x)\r\n<|im_end|>';
    expect(await encode(prompt, plain)).toEqual(await tokenizer.encode(prompt));
  });

  it('puts the bos_token in front if the format sets bos', async () => {
    const config = join(folder, 'tokenizer_config.json');
    await writeFile(config, JSON.stringify({ bos_token: { content: '<|endoftext|>' } }));
    const bos = { ...plain, bos: true };
    expect(await encode('f(x)', bos)).toEqual([1022, ...(await tokenizer.encode('f(x)'))]);
    await writeFile(config, JSON.stringify({ bos_token: '<s>' }));
    await expect(encode('f(x)', bos)).rejects.toThrow(
      /expected the tokenizer to use the model's 1024 token ids .* found id 1024, the token "<s>"/,
    );
    await cp(join(policy, 'tokenizer_config.json'), config);
    await expect(encode('f(x)', bos)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringMatching(/tokenizer_config\.json: expected a bos_token, .* found none/),
    });
  });
});

describe('chat', () => {
  it('is one user message, with special tokens as ids and nothing added', async () => {
    const expected = '<|endoftext|>user: f(x)<|im_end|>assistant: ';
    const ids = await encode('f(x)', chat);
    expect(ids).toEqual(await tokenizer.encode(expected));
    expect(ids.filter((id) => id >= 1022)).toEqual([1022, 1023]);
  });

  it('has the system message before it and the prefill after it', async () => {
    const format = { ...chat, system: 'Code only.', prefill: '```js\n' };
    expect(await encode('f(x)', format)).toEqual(
      await tokenizer.encode(
        '<|endoftext|>system: Code only.<|im_end|>user: f(x)<|im_end|>assistant: ```js\n',
      ),
    );
  });

  it('gives the template the variables of the format, before special tokens', async () => {
    const file = join(folder, 'chat_template.jinja');
    const template = await readFile(file, 'utf8');
    await writeFile(file, '{{ [enable_thinking, eos_token, n.x] }}');
    const variables = { enable_thinking: false, eos_token: 'end', n: { x: [1, null] } };
    const expected = "[False, 'end', [1, None]]";
    expect(await encode('f(x)', { ...chat, variables })).toEqual(await tokenizer.encode(expected));
    await writeFile(file, template);
  });

  it.each(['messages', 'add_generation_prompt', '_x', 'a-b'])('refuses a variable %s', (name) => {
    const format = { kind: 'chat', variables: { [name]: 1 } };
    expect(promptFormatSchema.safeParse(format).success).toBe(false);
  });

  it('with a completion is the conversation as the template ends it', async () => {
    const format = { ...chat, system: 'Code only.', prefill: '```js\n' };
    expect(await encodeWhole('f(x)', 'x', format)).toEqual(
      await tokenizer.encode(
        '<|endoftext|>system: Code only.<|im_end|>user: f(x)<|im_end|>assistant: ```js\nx<|im_end|>',
      ),
    );
  });

  it('needs a template', async () => {
    await expect(createPromptEncoder(tokenizer, chat, 1024)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining(`${policy}: expected a chat template`),
    });
  });
});
