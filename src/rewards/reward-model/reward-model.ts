// A reward model as a reward: a sequence classifier scores prompt and program, and a sigmoid maps
// the score to [0, 1]. The caller's services decide where the classifier runs.

import { resolveInput } from '../../config/paths.ts';
import type { RewardOf } from '../../config/reward-traits.ts';
import { parseWithin, UnreadableProgram } from '../programs/parse.ts';
import { readPythonTexts } from '../programs/python.ts';
import { withoutTypes } from '../programs/typescript.ts';
import type {
  CriterionResult,
  Reward,
  RewardImplementation,
  RewardServices,
  ScoreItem,
} from '../reward.ts';

type RewardModelConfig = RewardOf<'reward_model'>;

/**
 * A reward without criteria. The model reads a completion as it was sampled, prose included, as the
 * models of chat assistants expect it; only the gate looks at the program.
 * @throws AnnealError InvalidConfig if nothing is at its path
 */
export function createRewardModel(
  config: RewardModelConfig,
  { models }: Pick<RewardServices, 'models'>,
): Reward {
  const { name, weight, gate } = config;
  const model = resolveInput(config.path, `rewards: path of '${name}'`);
  return {
    name,
    weight,
    async score(items, options) {
      const objections = gate === 'parses' ? await objectionsTo(items) : items.map(() => null);
      const open = items.filter((_, i) => objections[i] === null);
      const scoring = {
        model,
        sequences: open.map(({ prompt, completion }) => ({ prompt: prompt.prompt, completion })),
        promptFormat: config.prompt_format,
        batchSize: config.batch_size,
        maxLength: config.max_length,
      };
      const scores = open.length > 0 ? await models.scores(scoring, options) : [];
      const results = scores.map((score) => toResult(score, config));
      return objections.map((note) =>
        note === null ? results.shift()! : { value: 0, criteria: {}, note },
      );
    },
  };
}

export const rewardModelKind: RewardImplementation<RewardModelConfig> = {
  create: createRewardModel,
};

/** Why each completion is not a program; null if it is one. */
async function objectionsTo(items: readonly ScoreItem[]): Promise<(string | null)[]> {
  const programs = items.map(({ program }) => program);
  const scripts = await withoutTypes(
    items.map(({ prompt }) => prompt),
    programs,
  );
  const isPython = ({ prompt }: ScoreItem) => prompt.language === 'python';
  const inPython = programs.filter((_, i) => isPython(items[i]!));
  const forms = await readPythonTexts(
    'normal_form',
    inPython.map((program) => [program]),
  );
  return items.map((item, i) => {
    if (!isPython(item)) return objectionTo(scripts[i]!);
    return forms.shift() === null ? 'does not parse' : null;
  });
}

/** Why a text is not a JavaScript program; null if it is one. */
function objectionTo(program: string): string | null {
  try {
    return parseWithin(program).body.length === 0 ? 'no program' : null;
  } catch (error) {
    if (error instanceof SyntaxError) return `does not parse: ${error.message}`;
    if (error instanceof UnreadableProgram) return `cannot be read: ${error.message}`;
    throw error;
  }
}

/** sigmoid((score - shift) / scale) */
function toResult(
  score: number | null,
  { shift, scale, max_length }: RewardModelConfig,
): CriterionResult {
  if (score === null)
    return { value: null, criteria: {}, note: `more than max_length = ${max_length} tokens` };
  return { value: 1 / (1 + Math.exp((shift - score) / scale)), criteria: {} };
}
