// Where a chat template is found, and the errors for one that cannot be used. Real templates are
// compared with transformers in test/parity/tokenizers.test.ts.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Message, readChatTemplate } from './chat-template.ts';
import { renderTemplate } from './jinja/renderer.ts';

// The first text starts the process of templates.
beforeAll(() => renderTemplate('', [{}]));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-chat-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, content: string) => writeFile(join(folder, name), content);
const declare = (chat_template: unknown) =>
  write('tokenizer_config.json', JSON.stringify({ chat_template }));
const conversation: Message[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello' },
];

async function render(variables = {}, messages = conversation): Promise<string> {
  const [text] = await (await readChatTemplate(folder)).render([messages], variables);
  return text!;
}
async function renderOf(template: string, variables = {}): Promise<string> {
  await write('chat_template.jinja', template);
  return render(variables);
}

describe('a template is found', () => {
  it('in chat_template.jinja, before tokenizer_config.json', async () => {
    await declare('the other one');
    expect(await renderOf('{{ messages[1].content }}!')).toBe('Hello!');
  });

  it('in tokenizer_config.json, as a text', async () => {
    await declare('{{ messages|length }}');
    expect(await render()).toBe('2');
  });

  it("in a list there, the entry named 'default'", async () => {
    await declare([
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ]);
    expect(await render()).toBe('plain');
  });
});

describe('a template is given', () => {
  it('special tokens by name, and nothing for those the model lacks', async () => {
    const template = '{{ bos_token }}|{{ eos_token }}|{{ bos_token is defined }}';
    expect(await renderOf(template, { eos_token: '</s>' })).toBe('|</s>|False');
  });

  it('add_generation_prompt, and neither tools nor documents', async () => {
    const template = '{{ add_generation_prompt }} {{ tools is none }} {{ documents is none }}';
    expect(await renderOf(template)).toBe('True True True');
  });

  it('the same date every day', async () => {
    expect(await renderOf("{{ strftime_now('%d %b %Y, %A %d %B, %H:%M, %j%%') }}")).toBe(
      '26 Jul 2024, Friday 26 July, 00:00, 208%',
    );
  });

  it('its blocks, line ends and first line as Jinja has them with trim_blocks and lstrip_blocks', async () => {
    const lines = ['  {% if true %}', 'a', '    {%- endif %}', '  {{ "b" }}', '{# c #}', 'd', ''];
    expect(await renderOf(lines.join('\n'))).toBe('a  b\nd');
    expect(await renderOf(lines.join('\r\n'))).toBe('a  b\nd');
  });
});

it('many conversations are rendered in their order', async () => {
  await write('chat_template.jinja', '{{ n }}{{ messages[0].content }}');
  const contents = Array.from({ length: 150 }, (_, i) => `${i} \ud800`);
  const { render } = await readChatTemplate(folder);
  const texts = await render(
    contents.map((content) => [{ role: 'user', content }]),
    { n: 'x' },
  );
  expect(texts).toEqual(contents.map((content) => `x${content.toWellFormed()}`));
});

describe('a folder is refused', () => {
  async function refusal(): Promise<string> {
    const error = await render().catch((error: unknown) => error);
    expect(error).toMatchObject({ kind: 'InvalidModel' });
    return (error as Error).message;
  }

  it('without a template', async () => {
    await declare(undefined);
    expect(await refusal()).toBe(
      `${folder}: expected a chat template, found neither chat_template.jinja nor a chat_template in tokenizer_config.json. Choose a chat model, or use prompt format 'plain'.`,
    );
  });

  it('with a list of templates without a default', async () => {
    await declare([{ name: 'rag', template: '' }]);
    expect(await refusal()).toMatch(/tokenizer_config\.json: expected .*'default', found 'rag'$/);
  });

  it('with a template of another type', async () => {
    await declare([{ name: 'default' }]);
    expect(await refusal()).toMatch(/expected chat_template to be a text, .*found another value/);
  });

  it('with a template that is not Jinja', async () => {
    await write('chat_template.jinja', '{% for message in %}');
    expect(await refusal()).toMatch(/chat_template\.jinja: expected a chat template in Jinja/);
  });

  it('with a template beyond the limits', async () => {
    await write('chat_template.jinja', `{# ${'#'.repeat(2 ** 20)} #}`);
    expect(await refusal()).toMatch(/expected a chat template of at most 1048576 characters/);
    await write('chat_template.jinja', "{{ 'x' * 5000000 }}");
    expect(await refusal()).toMatch(
      /chat_template\.jinja: expected .* beyond the limits of time, memory or output: the text/,
    );
  });

  it('with a template that refuses the messages, quoting it', async () => {
    await declare(
      "{% if messages[0].role == 'system' %}{{ raise_exception('No system!') }}{% endif %}",
    );
    expect(await refusal()).toMatch(
      /tokenizer_config\.json: expected .* system, then user; it refuses: No system!\. Some models accept no system message/,
    );
    expect(await render({}, conversation.slice(1))).toBe('');
  });
});
