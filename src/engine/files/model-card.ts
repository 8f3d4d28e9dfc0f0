// The card of a trained model (README.md): what trained it, from what, how to load it. A card that
// is Anneal's already stays as it is, so that a run's checkpoints all have the same one.

import { parse, stringify } from 'yaml';
import { architectureOf, type SourceJson } from './saved-config.ts';

export interface CardFacts {
  /** The source's config.json. */
  config: SourceJson;
  /** The source's own card, empty where it has none. */
  sourceCard: string;
  /** Hugging Face id of the source, where the caller knows it. */
  base?: string | undefined;
}

const tag = 'anneal';
const rewardTag = 'reward-model';

/** The same facts, the same text: no date, no path. */
export function modelCard({ config, sourceCard, base }: CardFacts): string {
  const source = frontMatter(sourceCard);
  const tags = strings(source.tags);
  const scores = architectureOf(config).endsWith('ForSequenceClassification');
  if (tags.includes(tag) && tags.includes(rewardTag) === scores) return sourceCard;
  const baseModel = modelId(base) ?? modelId(config._name_or_path) ?? modelId(source.base_model);
  const architecture = architectureOf(config);
  const front = {
    ...Object.fromEntries(inherited.filter((key) => key in source).map((k) => [k, source[k]])),
    ...(baseModel && { base_model: baseModel }),
    library_name: 'transformers',
    ...(architecture.endsWith('ForCausalLM') && { pipeline_tag: 'text-generation' }),
    ...(scores && { pipeline_tag: 'text-classification' }),
    tags: scores ? [tag, rewardTag, 'code'] : [tag, 'rl', 'rlaif', 'code'],
  };
  const from = titleOf(sourceCard) ?? baseModel ?? 'a model that came without a name';
  return `---\n${stringify(front, { lineWidth: 0 })}---\n\n${(scores ? rewardModelBody : body)(architecture, from)}`;
}

/** What holds of a trained model as it does of its source. */
const inherited = ['license', 'license_name', 'license_link', 'language'];

function rewardModelBody(architecture: string, from: string): string {
  return `# Reward model trained by Anneal

Trained from ${from} on pairs of answers to the same prompt, one better than the other, so that the better one gets the higher score (Bradley–Terry). The trainer was Anneal.

- Architecture: ${architecture}, one label
- Weights: float32, in \`model.safetensors\`
- The score is that of the last token; differences of scores within a prompt are what it means

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

Trained from ${from} by reinforcement learning from AI feedback: the model wrote programs, a reward judged them, and its weights moved toward the better ones. The trainer was Anneal.

- Architecture: ${architecture}, as the source's
- Weights: float32, in \`model.safetensors\`
- Tokenizer, generation settings and licence: the source's

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "path/to/this/folder"
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
\`\`\`

Files that only training reads, where there are any: \`optimizer.safetensors\`, \`trainer_state.json\`, \`checkpoint.json\`.
`;
}

/** The YAML at the head of a card; one that cannot be read says nothing. */
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

/** The first heading after the front matter, where it is plain text. */
function titleOf(card: string): string | undefined {
  return /^# +([^\n<[\]]+)$/m.exec(card.replace(head, ''))?.[1]?.trim();
}

/** A Hugging Face id such as Qwen/Qwen3-0.6B; paths of some machine are none. */
function modelId(value: unknown): string | undefined {
  const part = /[A-Za-z0-9][\w.-]*/.source;
  return strings(value).find((id) => new RegExp(`^${part}(/${part})?$`).test(id));
}

function strings(value: unknown): string[] {
  return [value].flat().filter((item) => typeof item === 'string');
}
