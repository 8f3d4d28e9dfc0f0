// The `model` section, with adapters and prompt formats.

import { z } from 'zod';
import { positiveInt } from './numbers.ts';

/** Projections of a layer that can get an adapter, by their short names. */
export const adapterTargets = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
] as const;
export type AdapterTarget = (typeof adapterTargets)[number];

/** Low-rank adapters (arXiv 2106.09685). */
export const loraSchema = z.strictObject({
  rank: positiveInt.max(10_000).default(16).describe('Rank of the adapters.'),
  alpha: z.number().positive().default(32).describe('Adapters are scaled by alpha / rank.'),
  targets: z
    .array(z.enum(adapterTargets))
    .min(1)
    .refine((targets) => new Set(targets).size === targets.length, 'names a projection twice')
    .default([...adapterTargets])
    .describe('Projections of each layer that get an adapter.'),
});

/** The prompt's text and nothing else. */
const plainFormat = z.strictObject({
  kind: z.literal('plain').describe('The text of the prompt, unchanged.'),
  bos: z
    .boolean()
    .default(false)
    .describe("Prepend the tokenizer's bos_token, as Llama's base models need."),
});

/** Variables of a chat template that the prompt decides. */
const templateInputs = ['messages', 'add_generation_prompt'];

function isVariableName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !templateInputs.includes(name);
}

/** One turn of a conversation, for instruction-tuned models. */
const chatFormat = z.strictObject({
  kind: z.literal('chat').describe("A user message in the model folder's chat template."),
  system: z
    .string()
    .nullable()
    .default(null)
    .describe('System message before the prompt; null leaves it to the template.'),
  prefill: z
    .string()
    .default('')
    .describe('Start of every answer, such as a code fence; not part of the completion.'),
  variables: z
    .record(z.string(), z.unknown())
    .refine(
      (variables) => Object.keys(variables).every(isVariableName),
      `expected names of letters, digits and _, beginning with a letter, other than ${templateInputs.join(' and ')}`,
    )
    .refine(
      (variables) => z.json().safeParse(variables).success,
      'expected values that JSON can hold: strings, numbers, true, false, null, lists, mappings',
    )
    .optional()
    .describe('Values for the chat template by name, such as {enable_thinking: false}.'),
});

/** How a prompt's text becomes the tokens that a completion follows. */
export const promptFormatSchema = z.discriminatedUnion('kind', [plainFormat, chatFormat]);

const fences = z
  .boolean()
  .default(true)
  .describe(
    'Take the program from the Markdown fence of an answer that has one; see docs/rewards.md.',
  );
const policyFormatSchema = z.discriminatedUnion('kind', [
  plainFormat.extend({ fences }),
  chatFormat.extend({ fences }),
]);

/** The `model` section: the policy, its reference and adapters, and how prompts are written. */
export const modelSchema = z.strictObject({
  path: z.string().min(1).describe('Hugging Face folder of the policy to start from.'),
  reference: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Folder of the reference policy; null uses the policy to start from.'),
  lora: loraSchema
    .nullable()
    .default(null)
    .describe('Train low-rank adapters (LoRA) on frozen weights; null trains every weight.'),
  prompt_format: policyFormatSchema
    .prefault({ kind: 'plain' })
    .describe('How the text of a prompt becomes tokens, and an answer a program.'),
});

export type PromptFormat = z.output<typeof promptFormatSchema>;
/** How a completion holds its program. */
export type AnswerFormat =
  | { kind: 'plain'; fences: boolean }
  | { kind: 'chat'; fences: boolean; prefill: string };
