// Where the inputs of `anneal score` are: paths as users type them, the embedded prompts included.

import { resolveInput } from '../../config/paths.ts';
import { type ScoreCommandOptions, scoreCommand } from '../commands/score.ts';

export async function scoreInputs(prompts: string, options: ScoreCommandOptions): Promise<number> {
  const { config, completions } = options;
  await scoreCommand(resolveInput(prompts, 'prompts'), {
    ...options,
    completions: resolveInput(completions, '--completions'),
    ...(config ? { config: resolveInput(config, '--config') } : {}),
  });
  return 0;
}
