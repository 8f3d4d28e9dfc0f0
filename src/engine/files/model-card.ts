// The card (README.md) of a trained model: its trainer, its source, how to load it. A card that
// Anneal wrote stays unchanged, so that all checkpoints of a run have the same one.

import { parse, stringify } from 'yaml';
import { findArchitecture, type Task } from '../model/families.ts';
import { architectureOf, type SourceJson } from './saved-config.ts';

export interface CardFacts {
  /** The source's config.json. */
  config: SourceJson;
  /** The source's own card; empty if it has none. */
  sourceCard: string;
  /** Hugging Face id of the source, if the caller knows it. */
  base?: string | undefined;
}

const tag = 'anneal';
const rewardTag = 'reward-model';
const pipelineTags: Record<Task, string> = {
  'language-model': 'text-generation',
  classifier: 'text-classification',
};

/** The card's text. It contains no date and no path, so the same facts give the same text. */
export function modelCard({ config, sourceCard, base }: CardFacts): string {
  const source = frontMatter(sourceCard);
  const tags = strings(source.tags);
  const architecture = architectureOf(config);
  const task = findArchitecture(architecture)?.task;
  const scores = task === 'classifier';
  if (tags.includes(tag) && tags.includes(rewardTag) === scores) return sourceCard;
  const baseModel = modelId(base) ?? modelId(config._name_or_path) ?? modelId(source.base_model);
  const front = {
    ...Object.fromEntries(inherited.filter((key) => key in source).map((k) => [k, source[k]])),
    ...(baseModel && { base_model: baseModel }),
    library_name: 'transformers',
    ...(task && { pipeline_tag: pipelineTags[task] }),
    tags: scores ? [tag, rewardTag, 'code'] : [tag, 'rl', 'rlaif', 'code'],
  };
  const from = titleOf(sourceCard) ?? baseModel ?? 'an unnamed model';
  return `---\n${stringify(front, { lineWidth: 0 })}---\n\n${(scores ? rewardModelBody : body)(architecture, from)}`;
}

/** Keys that a trained model takes from its source. */
const inherited = ['license', 'license_name', 'license_link', 'language'];

function rewardModelBody(architecture: string, from: string): string {
  return `# Reward model trained by Anneal

Trained from ${from} on pairs of answers to the same prompt, to give the better answer the higher score (Bradley–Terry).

- Architecture: ${architecture}, one label
- Weights: float32, in \`model.safetensors\`
- The score is that of the last token; only differences of scores within a prompt are meaningful

\`\`\`python
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = "path/to/this/folder"
model = AutoModelForSequenceClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
\`\`\`
`;
}

function body(architecture: string, from: string): string {
  return `# Fine-tuned by Anneal

Trained from ${from} by reinforcement learning from AI feedback: the model wrote programs, a reward scored them, and its weights moved toward the better ones.

- Architecture: ${architecture}, as the source's
- Weights: float32, in \`model.safetensors\`
- Tokenizer, generation settings and licence: the source's

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "path/to/this/folder"
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
\`\`\`

Files used only for training, if present: \`optimizer.safetensors\`, \`trainer_state.json\`, \`checkpoint.json\`.
`;
}

/** The front matter of a card; empty if it cannot be parsed. */
function frontMatter(card: string): Record<string, unknown> {
  const [, yaml = ''] = head.exec(card) ?? [];
  try {
    const value = parse(yaml);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

const head = /^---\r?\n(.*?)\n---\s/s;

/** The first heading after the front matter, if it is plain text. */
function titleOf(card: string): string | undefined {
  return /^# +([^\n<[\]]+)$/m.exec(card.replace(head, ''))?.[1]?.trim();
}

/** The first Hugging Face id, such as Qwen/Qwen3-0.6B; local paths are skipped. */
function modelId(value: unknown): string | undefined {
  const part = /[A-Za-z0-9][\w.-]*/.source;
  return strings(value).find((id) => new RegExp(`^${part}(/${part})?$`).test(id));
}

function strings(value: unknown): string[] {
  return [value].flat().filter((item) => typeof item === 'string');
}
