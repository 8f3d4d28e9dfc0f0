import type { Command } from '@commander-js/extra-typings';

export const scoreCommand = (program: Command) =>
  program
    .command('score')
    .summary('score given programs, criterion by criterion')
    .description(
      'Score given programs with the built-in rubric, or with the rewards of a run file, and ' +
        'print each criterion. Needs no server.',
    )
    .argument('<prompts>', 'JSONL file of prompts, such as data/held-out.jsonl')
    .requiredOption('--completions <file>', 'JSONL file of rows {"id": PROMPT ID, "completion": …}')
    .option('--config <file>', 'run file whose rewards to use (default: the built-in rubric)')
    .option('--json', 'print one JSON array with an entry for each completion')
    .addHelpText(
      'after',
      '\nExample:\n  anneal score data/held-out.jsonl --completions mine.jsonl --config config/two-phase.yaml',
    )
    .action(async (prompts, options) => {
      const { printScores } = await import('../actions/score.ts');
      await printScores(prompts, options);
    });
