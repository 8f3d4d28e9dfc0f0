// The run file: one strict schema, from which defaults, JSON Schema and types are derived.
// Keys keep the names of the system this project grew from (snake_case). Reading files and
// applying flags is load.ts.

import { z } from 'zod';
import { preferenceTrainingSchema } from './preference-training.ts';
import { checkRamps, overridesOf } from './ramp-schema.ts';

const fraction = z.number().min(0).max(1);
const positiveInt = z.int().positive();

/** How samples are drawn and what the policy gradient makes of their rewards. */
export const rlaifSchema = z.strictObject({
  algorithm: z
    .enum(['reinforce', 'baseline', 'rloo', 'grpo', 'dr_grpo'])
    .default('rloo')
    .describe('How rewards become advantages; see docs/algorithms.md.'),
  reward_weight: z.number().positive().default(1).describe('Factor on every advantage.'),
  kl_penalty: z.number().min(0).default(0.1).describe('Coefficient of KL to the reference policy.'),
  kl_placement: z
    .enum(['k2_loss', 'k1_reward'])
    .default('k2_loss')
    .describe('Where the KL penalty enters: k2 estimator in the loss, or k1 in the reward.'),
  kl_target: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('KL a token that kl_penalty is scaled to hold, step by step; null leaves it.'),
  generation_temperature: z.number().positive().default(1).describe('Sampling temperature.'),
  top_k: positiveInt
    .nullable()
    .default(null)
    .describe('Draw from the k likeliest tokens alone; null from all.'),
  top_p: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Draw from the likeliest tokens that sum to this probability; 1 from all.'),
  min_p: fraction
    .default(0)
    .describe('Draw from tokens at least this share as likely as the likeliest; 0 from all.'),
  stop_strings: z
    .array(z.string().min(1))
    .default([])
    .describe('Texts that end a completion and are left out of it.'),
  loss_aggregation: z
    .enum(['token_mean', 'sequence_mean'])
    .default('token_mean')
    .describe('Every token weighs the same, or every sample; dr_grpo has its own.'),
  mask_truncated: z
    .boolean()
    .default(false)
    .describe('Do not train on samples that max_new_tokens cut; they count in their group.'),
  reward_threshold: fraction
    .nullable()
    .default(null)
    .describe('Samples with a lower reward are not trained on; null keeps all.'),
  best_of_n_training: z
    .boolean()
    .default(false)
    .describe('Train on the best sample of every prompt alone.'),
  min_group_size: positiveInt
    .default(2)
    .describe('Groups in which rewards are missing and fewer samples are left are dropped.'),
  num_samples_per_prompt: positiveInt.default(8).describe('Group size N.'),
  prompts_per_epoch: positiveInt.default(96).describe('Prompts drawn (without repeats) an epoch.'),
  max_new_tokens: positiveInt.default(96).describe('Completion length limit, in tokens.'),
  clip_low: fraction.default(0.2).describe('Importance ratios under 1 - clip_low are clipped.'),
  clip_high: z.number().min(0).default(0.28).describe('Ratios over 1 + clip_high are clipped.'),
});

/** The optimiser and its batches. */
export const trainingSchema = z.strictObject({
  learning_rate: z.number().positive().default(1e-4).describe('Peak learning rate of AdamW.'),
  schedule: z
    .enum(['constant', 'cosine'])
    .default('constant')
    .describe('Of the learning rate after its warm-up.'),
  decay_steps: positiveInt
    .nullable()
    .default(null)
    .describe('Steps after the warm-up in which a cosine schedule comes down.'),
  min_learning_rate: z
    .number()
    .min(0)
    .default(0)
    .describe('Where a cosine schedule comes down to and stays.'),
  warmup_steps: z.int().min(0).default(20).describe('Steps of linear warm-up from 0.'),
  max_grad_norm: z.number().positive().default(0.5).describe('Global gradient norm clip.'),
  weight_decay: z.number().min(0).default(0).describe('Decoupled weight decay.'),
  adam_beta1: fraction.default(0.9).describe('Decay of the mean of gradients.'),
  adam_beta2: fraction.default(0.999).describe('Decay of the mean of their squares.'),
  adam_epsilon: z.number().positive().default(1e-8).describe('Added to the denominator.'),
  batch_size: positiveInt.default(64).describe('Samples an optimiser step.'),
  microbatch_size: positiveInt.default(16).describe('Samples a forward and backward pass.'),
  recompute: z
    .boolean()
    .default(false)
    .describe('Compute activations again in the backward pass: less memory, a third more time.'),
});

/** The projections of a layer that an adapter can be put on, by their short names. */
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
const loraSchema = z.strictObject({
  rank: positiveInt.default(16).describe('Rank of the adapters.'),
  alpha: z.number().positive().default(32).describe('They are scaled by alpha / rank.'),
  targets: z
    .array(z.enum(adapterTargets))
    .min(1)
    .refine((targets) => new Set(targets).size === targets.length, 'names a projection twice')
    .default([...adapterTargets])
    .describe('Projections of each layer that get one.'),
});

/** The prompt's text and nothing else. */
const plainFormat = z.strictObject({
  kind: z.literal('plain').describe('The text as it stands.'),
  bos: z
    .boolean()
    .default(false)
    .describe("Put the tokenizer's bos_token in front, as Llama's base models need it."),
});

/** One turn of a conversation, for models that were trained to answer. */
const chatFormat = z.strictObject({
  kind: z.literal('chat').describe("What the user says, in the model folder's chat template."),
  system: z
    .string()
    .nullable()
    .default(null)
    .describe('The system message before it; null leaves that to the template.'),
  prefill: z
    .string()
    .default('')
    .describe('First words of every answer, not part of the completion: say, a code fence.'),
});

/** How a prompt's text becomes the tokens that a completion follows. */
export const promptFormatSchema = z.discriminatedUnion('kind', [plainFormat, chatFormat]);

const rewardWeight = z
  .number()
  .min(0)
  .default(1)
  .describe('Its share in the sum of rewards; 0 is reported and not summed.');

/** Weighted criteria of the built-in rubric; they are normalised to sum to 1. */
export const rubricSchema = z.strictObject({
  kind: z.literal('rubric').describe('Tests, and criteria judged by parsing the program.'),
  name: z.string().min(1).default('rubric').describe('Its name in metrics and reports.'),
  weight: rewardWeight,
  criteria: z
    .strictObject({
      correctness: z.number().min(0).default(0.3).describe('Share of tests passed.'),
      quality: z.number().min(0).default(0.3).describe('Clean, idiomatic code.'),
      efficiency: z.number().min(0).default(0.2).describe('No needless work.'),
      documentation: z.number().min(0).default(0.2).describe('A doc comment, complete.'),
    })
    .prefault({}),
  normalize_by_reference: z
    .boolean()
    .default(true)
    .describe("Divide by the reference solution's score, clipped to [0, 1]."),
  time_limit_ms: positiveInt.default(100).describe('Time limit of one program with its tests.'),
  memory_limit_mb: positiveInt.default(16).describe('Memory limit of one program.'),
});

/** How a reward model is fitted further between phases, on what another reward said in a run. */
const refitSchema = z.strictObject({
  judge: z
    .string()
    .min(1)
    .describe('Name of the reward of this run by whose values programs are compared.'),
  pairs_per_group: positiveInt.default(4).describe('Pairs of a prompt and epoch at most.'),
  min_difference: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe("Least difference of the judge's values in a pair."),
  held_out_share: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe('Share of the training prompts whose pairs are held out to compare by.'),
  min_pairs: positiveInt
    .default(32)
    .describe('With fewer pairs to train on the reward model stays as it is.'),
  lora: loraSchema
    .nullable()
    .default(null)
    .describe('Train low-rank adapters and the head; null trains every weight.'),
  training: preferenceTrainingSchema.omit({ max_length: true }).prefault({}),
});

/** A trained judge: a sequence classifier with one score, run by the engine. */
export const rewardModelSchema = z.strictObject({
  kind: z.literal('reward_model').describe('The score of a reward model for prompt and program.'),
  name: z.string().min(1).default('reward_model').describe('Its name in metrics and reports.'),
  weight: rewardWeight,
  path: z
    .string()
    .min(1)
    .describe('Hugging Face folder of a …ForSequenceClassification with one label.'),
  prompt_format: promptFormatSchema
    .prefault({ kind: 'plain' })
    .describe('How prompt and program become the text that the model scores.'),
  shift: z.number().default(0).describe('Raw score that becomes 0.5.'),
  scale: z
    .number()
    .positive()
    .default(1)
    .describe('A raw score s becomes sigmoid((s - shift) / scale).'),
  gate: z
    .enum(['parses', 'none'])
    .default('parses')
    .describe('Programs that are empty or do not parse get 0, whatever the model says.'),
  batch_size: positiveInt.default(16).describe('Programs scored in one pass.'),
  max_length: positiveInt
    .default(1024)
    .describe('Prompt and program in tokens; a longer one is left without a score.'),
  refit: refitSchema
    .nullable()
    .default(null)
    .describe('Fit it further at the start of every phase but the first; null leaves it.'),
});

const identifier = /^[a-z][a-z0-9_]*$/;

/** What a judge is asked of a program; a file of its own, or written into the run file. */
export const judgeRubricSchema = z.strictObject({
  instructions: z.string().default('').describe('What the judge should know beside the criteria.'),
  criteria: z
    .array(
      z.strictObject({
        name: z.string().regex(identifier, 'lower-case letters, digits and underscores'),
        weight: z.number().positive().default(1).describe('Its share in the mean of criteria.'),
        scale: z
          .enum(['binary', 'graded'])
          .default('binary')
          .describe('Met or not; or 0 to 4 points.'),
        description: z.string().min(1).describe('When it is met, or what earns points.'),
      }),
    )
    .min(1)
    .refine(
      (criteria) => new Set(criteria.map(({ name }) => name)).size === criteria.length,
      'names a criterion twice',
    ),
});

/** What a run may spend on a judge; null is no limit. */
const judgeBudget = z.strictObject({
  calls: positiveInt.nullable().default(null).describe('Requests, failed ones among them.'),
  tokens: positiveInt.nullable().default(null).describe('Tokens in and out together.'),
  usd: z.number().positive().nullable().default(null).describe('Money, by the two prices.'),
  input_price: z.number().min(0).default(0).describe('Dollars a million tokens in.'),
  output_price: z.number().min(0).default(0).describe('Dollars a million tokens out.'),
});

/** A large model that judges programs by a rubric; docs/judges.md. */
export const judgeSchema = z
  .strictObject({
    kind: z.literal('judge').describe('A large language model that judges by a rubric.'),
    name: z.string().min(1).default('judge').describe('Its name in metrics and reports.'),
    weight: rewardWeight,
    provider: z
      .enum(['openai-compatible', 'openai', 'anthropic'])
      .default('openai-compatible')
      .describe('Wire format and service.'),
    base_url: z
      .url()
      .nullable()
      .default(null)
      .describe("The service's address; null is the provider's own."),
    model: z.string().min(1).describe("The model's name at the provider."),
    api_key_env: z
      .string()
      .regex(/^[A-Z_][A-Z0-9_]*$/, 'the name of an environment variable, never the key itself')
      .nullable()
      .default(null)
      .describe("Variable that holds the key on score workers; null is the provider's usual one."),
    rubric: z
      .union([z.string().min(1), judgeRubricSchema])
      .describe('YAML file of criteria and instructions, or its content.'),
    mode: z
      .enum(['pointwise', 'groupwise'])
      .default('pointwise')
      .describe('A program a call, or all distinct ones of a prompt, shuffled.'),
    comments: z
      .enum(['strip', 'keep'])
      .default('strip')
      .describe('Of the program, before the judge sees it.'),
    names: z
      .enum(['keep', 'rename'])
      .default('keep')
      .describe("Of the program's own variables, before the judge sees it."),
    max_string_length: z
      .int()
      .min(0)
      .default(24)
      .describe('Longer string literals are cut before the judge sees them.'),
    temperature: z
      .number()
      .min(0)
      .nullable()
      .default(0)
      .describe("The judge's own; null leaves it to the provider."),
    max_output_tokens: positiveInt.default(1024).describe('Limit of an answer.'),
    structured_output: z
      .boolean()
      .default(true)
      .describe('Have an openai-compatible service hold answers to the JSON Schema.'),
    time_limit_s: z.number().positive().default(60).describe('Of one request.'),
    attempts: positiveInt
      .default(8)
      .describe('Requests for one verdict before it counts as missing.'),
    concurrency: positiveInt.default(8).describe('Requests in flight of one score activity.'),
    requests_per_minute: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Held across all workers and runs of a store.'),
    tokens_per_minute: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Held the same way, in and out together.'),
    max_missing: fraction
      .default(0.1)
      .describe('Share of samples of a shard without a verdict above which the epoch waits.'),
    second_opinions: fraction
      .default(0)
      .describe('Share of questions asked once more, in another order, to tell how steady it is.'),
    budget: judgeBudget.prefault({}).describe('Spent, the run pauses until it is resumed.'),
  })
  .superRefine(({ provider, base_url, budget }, context) => {
    if (provider === 'openai-compatible' && base_url === null)
      context.addIssue({
        code: 'custom',
        path: ['base_url'],
        message: 'must be the address of an openai-compatible service, such as http://host:8000/v1',
      });
    if (budget.usd !== null && budget.input_price + budget.output_price === 0)
      context.addIssue({
        code: 'custom',
        path: ['budget', 'usd'],
        message: 'needs input_price or output_price to count by',
      });
  });

/** One entry of the declared list of rewards. */
export const rewardSchema = z.discriminatedUnion('kind', [
  rubricSchema,
  rewardModelSchema,
  judgeSchema,
]);

const phaseSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens')
    .describe('Part of the ids of its epochs.'),
  epochs: z
    .tuple([z.int().min(0), z.int().min(0)])
    .describe('First and last epoch of the phase, both included.'),
  reset_reference: z
    .boolean()
    .default(false)
    .describe('At the start of the phase the policy of the epoch before becomes the reference.'),
  rlaif: overridesOf(rlaifSchema).prefault({}).describe('What this phase changes under rlaif.'),
  training: overridesOf(trainingSchema)
    .prefault({})
    .describe('What this phase changes under training.'),
});

/** What a run takes away of itself, after each epoch. */
export const retentionSchema = z.strictObject({
  keep_last: positiveInt
    .nullable()
    .default(null)
    .describe('Keep the checkpoints of the latest so many epochs.'),
  keep_best: positiveInt
    .nullable()
    .default(null)
    .describe('Keep those of so many epochs with the highest held-out reward.'),
  keep_every: positiveInt
    .nullable()
    .default(null)
    .describe('Keep those of every so many-th epoch: 5 keeps 5, 10, 15. All three null keep all.'),
  keep_samples: positiveInt
    .nullable()
    .default(null)
    .describe('Keep the samples of the latest so many epochs; null keeps all.'),
});

/** The whole run file. */
export const runSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dots, hyphens and underscores')
      .default('run')
      .describe('The workflow id and the name of the run folder.'),
    seed: z.int().min(0).max(0xffffffff).default(0).describe('Seed of everything random.'),
    model: z.strictObject({
      path: z.string().min(1).describe('Hugging Face folder of the policy to start from.'),
      reference: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe('Folder of the reference policy; null is the policy to start from.'),
      lora: loraSchema
        .nullable()
        .default(null)
        .describe('Train low-rank adapters over fixed weights; null trains every weight.'),
      prompt_format: promptFormatSchema
        .prefault({ kind: 'plain' })
        .describe('How the text of a prompt becomes tokens.'),
    }),
    resume_from: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        "An epoch's checkpoint of another run to continue from: a folder, or its s3:// address.",
      ),
    prompts: z.strictObject({
      train: z.string().min(1).describe('JSONL file of prompts to train on.'),
      held_out: z.string().min(1).describe('JSONL file of prompts to evaluate on.'),
    }),
    engine: z
      .strictObject({
        device: z.enum(['cpu', 'webgpu', 'cuda']).default('cpu').describe('Where models run.'),
        threads: positiveInt
          .default(2)
          .describe('Threads of one operator; part of the run, for it can change the last bit.'),
        shard_prompts: positiveInt
          .default(8)
          .describe('Prompts one generate activity samples as one batch.'),
        snapshot_seconds: z
          .number()
          .min(0)
          .default(10)
          .describe(
            'Least time between snapshots of training, of a policy or of a reward model, from which a killed one goes on.',
          ),
        stall_seconds: z
          .number()
          .positive()
          .default(3600)
          .describe(
            'A model process that gets no further for so long is ended and its work done again; more than a training step or a pass over a shard takes.',
          ),
      })
      .prefault({}),
    rlaif: rlaifSchema.prefault({}),
    training: trainingSchema.prefault({}),
    evaluation: z
      .strictObject({
        prompts: positiveInt.default(64).describe('Held-out prompts, from the top of the file.'),
        num_samples_per_prompt: positiveInt.default(8).describe('Group size N.'),
        temperature: z
          .number()
          .positive()
          .default(1)
          .describe('Fixed over all phases, so that they compare.'),
        greedy: z
          .boolean()
          .default(true)
          .describe('Also take one completion a prompt of the likeliest tokens.'),
      })
      .prefault({}),
    rewards: z
      .array(rewardSchema)
      .min(1)
      .prefault([{ kind: 'rubric' }]),
    success: z
      .strictObject({
        average_reward: fraction.default(0.3).describe('At least.'),
        best_of_n_reward: fraction.default(0.55).describe('At least.'),
        reward_variance: z.number().min(0).default(0.06).describe('Under.'),
        gap: fraction.default(0.2).describe('Best-of-N less average: under.'),
        loss: z
          .tuple([z.number(), z.number()])
          .default([0.15, 0.2])
          .describe('Lowest and highest loss that counts as stable.'),
      })
      .prefault({})
      .describe('The success metrics that the analysis page reports on.'),
    retention: retentionSchema
      .nullable()
      .default(null)
      .describe('What goes after each epoch; null keeps everything. See docs/operations.md.'),
    phases: z.array(phaseSchema).min(1),
  })
  .superRefine((run, context) => {
    run.phases.forEach((phase, index) => {
      const [first, last] = phase.epochs;
      const path = ['phases', index, 'epochs'];
      if (last < first)
        context.addIssue({
          code: 'custom',
          path,
          message: `ends (${last}) before it begins (${first})`,
        });
      const before = run.phases[index - 1];
      if (before && first !== before.epochs[1] + 1)
        context.addIssue({
          code: 'custom',
          path,
          message:
            first <= before.epochs[1]
              ? `overlaps phase '${before.name}', which runs to epoch ${before.epochs[1]}`
              : `leaves a gap after phase '${before.name}', which ends at epoch ${before.epochs[1]}`,
        });
      if (run.phases.findIndex((other) => other.name === phase.name) !== index)
        context.addIssue({
          code: 'custom',
          path: ['phases', index, 'name'],
          message: `'${phase.name}' is used twice`,
        });
      for (const [section, schema] of [
        ['rlaif', rlaifSchema],
        ['training', trainingSchema],
      ] as const)
        checkRamps(phase[section], schema, phase, ['phases', index, section], context);
    });
    run.rewards.forEach((reward, index) => {
      if (reward.kind !== 'reward_model' || !reward.refit) return;
      const others = run.rewards.flatMap(({ name }) => (name === reward.name ? [] : [name]));
      if (!others.includes(reward.refit.judge))
        context.addIssue({
          code: 'custom',
          path: ['rewards', index, 'refit', 'judge'],
          message: `expected the name of another reward (${others.join(', ') || 'there is none; add one, of weight 0 if it is only to judge'}), found '${reward.refit.judge}'`,
        });
    });
    const keepSamples = run.retention?.keep_samples ?? null;
    const longest = Math.max(...run.phases.map(({ epochs: [first, last] }) => last - first + 1));
    const refits = run.rewards.some((reward) => reward.kind === 'reward_model' && reward.refit);
    if (refits && keepSamples !== null && keepSamples < longest)
      context.addIssue({
        code: 'custom',
        path: ['retention', 'keep_samples'],
        message: `expected the epochs of the longest phase (${longest}) or more, since reward models are refitted on a phase's samples, found ${keepSamples}`,
      });
    if (run.rewards.every(({ weight }) => weight === 0))
      context.addIssue({
        code: 'custom',
        path: ['rewards'],
        message: 'expected one with a weight over 0, or nothing is there to learn',
      });
    if (run.training.batch_size % run.training.microbatch_size !== 0)
      context.addIssue({
        code: 'custom',
        path: ['training', 'batch_size'],
        message: `must be a multiple of microbatch_size (${run.training.microbatch_size}), found ${run.training.batch_size}`,
      });
    if (run.rlaif.kl_target !== null && run.rlaif.kl_placement !== 'k2_loss')
      context.addIssue({
        code: 'custom',
        path: ['rlaif', 'kl_target'],
        message:
          'goes with kl_placement k2_loss: it acts from step to step, and rewards are given once',
      });
    if (run.training.schedule === 'cosine' && run.training.decay_steps === null)
      context.addIssue({
        code: 'custom',
        path: ['training', 'decay_steps'],
        message: 'must be a number of steps for a cosine schedule',
      });
  });

/** A resolved run file: every default filled in. */
export type RunConfig = z.output<typeof runSchema>;
/** A run file as a person writes it. */
export type RunFile = z.input<typeof runSchema>;
export type RlaifConfig = z.output<typeof rlaifSchema>;
export type TrainingConfig = z.output<typeof trainingSchema>;
export type PromptFormat = z.output<typeof promptFormatSchema>;
export type RewardConfig = z.output<typeof rewardSchema>;
export type RefitConfig = z.output<typeof refitSchema>;
export type JudgeConfig = Extract<RewardConfig, { kind: 'judge' }>;
export type JudgeRubric = z.output<typeof judgeRubricSchema>;
export type RetentionConfig = z.output<typeof retentionSchema>;
export type SuccessTargets = RunConfig['success'];
export type PhaseConfig = RunConfig['phases'][number];
