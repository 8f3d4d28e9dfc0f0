// Chat templates against transformers' own environment, by the fixture of make_template_fixtures.py:
// those of about a hundred real models, and small ones for every feature of Jinja.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Message, readChatTemplate } from '../../src/engine/text/chat-template.ts';
import { renderTemplate } from '../../src/engine/text/jinja/renderer.ts';
import { modelTemplates } from './model-templates.ts';

interface Expected {
  conversations: Record<string, Message[]>;
  tokens: Record<string, string>;
  variables: Record<string, unknown>;
  /** The text, or null if transformers' template refuses the user's message. */
  features: { template: string; text: string | null }[];
  /** The start of the text's hash by conversation; `variables` are for the user's alone. */
  models: Record<string, Record<string, string | null>>;
}

const fixture = new URL('./fixtures/templates.json', import.meta.url);
const expected = JSON.parse(await readFile(fixture, 'utf8')) as Expected;
const { conversations, tokens, variables, features, models } = expected;
const templates = await modelTemplates();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-templates-'));
  // The first text starts the process of templates.
  await renderTemplate('', [{}]);
});
afterAll(() => rm(folder, { recursive: true }));

/** The text, or null if the template refuses the messages. */
async function render(template: string, messages: Message[], more = {}): Promise<string | null> {
  await writeFile(join(folder, 'chat_template.jinja'), template);
  const { render } = await readChatTemplate(folder);
  return render([messages], { ...tokens, ...more }).then(
    ([text]) => text!,
    (error: unknown) => {
      expect(error).toMatchObject({ kind: 'InvalidModel' });
      return null;
    },
  );
}

const hash = (text: string | null) =>
  text && createHash('sha256').update(text).digest('hex').slice(0, 16);

it.each(features)('Jinja: $template', async ({ template, text }) => {
  expect(await render(template, conversations.user!)).toBe(text);
});

describe('the template of', () => {
  it.each(Object.keys(models))('%s', async (model) => {
    const found: Record<string, string | null> = {};
    for (const [name, messages] of Object.entries(conversations))
      found[name] = hash(await render(templates[model]!, messages));
    found.variables = hash(await render(templates[model]!, conversations.user!, variables));
    expect(found).toEqual(models[model]);
  });

  it('every collected model is compared', () => {
    expect(Object.keys(models)).toEqual(Object.keys(templates));
  });
});
