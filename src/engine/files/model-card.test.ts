import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type CardFacts, modelCard } from './model-card.ts';

const config = { architectures: ['Qwen2ForCausalLM'] };
const card = (facts: Partial<CardFacts>) => modelCard({ config, sourceCard: '', ...facts });
const front = (text: string) => parse(text.split('---\n')[1]!);

const sourceCard = `---
license: other
license_name: research
license_link: https://example.org/licence
language:
- en
base_model:
- Acme/Coder-1B
pipeline_tag: text-generation
datasets: [secret]
tags: [chat]
---

# Coder-1B-Instruct

Scores 99 on every benchmark.
`;

describe('modelCard', () => {
  it('names the architecture, the trainer and the source', () => {
    const text = card({ sourceCard });
    expect(front(text)).toEqual({
      license: 'other',
      license_name: 'research',
      license_link: 'https://example.org/licence',
      language: ['en'],
      base_model: 'Acme/Coder-1B',
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      tags: ['anneal', 'rl', 'rlaif', 'code'],
    });
    expect(text).toContain('Trained from Coder-1B-Instruct by reinforcement learning');
    expect(text).not.toMatch(/benchmark|secret/);
  });

  it('keeps a card that is already there', () => {
    const first = card({ sourceCard });
    expect(card({ sourceCard: first, base: 'Acme/Other' })).toBe(first);
    const edited = first.replace('Fine-tuned by Anneal', 'My model');
    expect(card({ sourceCard: edited })).toBe(edited);
  });

  it.each([
    ["the caller's argument", { base: 'Acme/Given' }, 'Acme/Given'],
    ["the config's _name_or_path", {}, 'Acme/Named'],
    ['the card, if the config has a path', { _name_or_path: '/home/me/coder' }, 'Acme/Coder-1B'],
    ['the card, if the config has nothing', { _name_or_path: '' }, 'Acme/Coder-1B'],
  ])('takes for the base model %s', (_, { base, ...named }: Record<string, string>, expected) => {
    const named_ = { ...config, _name_or_path: 'Acme/Named', ...named };
    expect(front(card({ config: named_, sourceCard, base })).base_model).toBe(expected);
  });

  it.each([
    ['no card', ''],
    ['a card without front matter', 'A model.\n'],
    ['front matter that is not YAML', '---\na: [\n---\n'],
    ['front matter that is a list', '---\n- 1\n---\n'],
  ])('names no base model after %s', (_, text) => {
    const written = card({ sourceCard: text });
    expect(front(written)).toEqual({
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      tags: ['anneal', 'rl', 'rlaif', 'code'],
    });
    expect(written).toContain('Trained from an unnamed model by');
  });

  it('describes a classifier as scoring texts, not generating them', () => {
    const classifier = { architectures: ['Qwen3ForSequenceClassification'] };
    expect(front(card({ config: classifier }))).toMatchObject({
      pipeline_tag: 'text-classification',
      tags: ['anneal', 'reward-model', 'code'],
    });
  });
});
