// Prints the samples of an epoch from the run's folder: every criterion, the advantage, and whether
// the sample was trained on.

import { absent, signed } from '../../analysis/format.ts';
import { AnnealError } from '../../errors.ts';
import type { Split } from '../../records/metrics.ts';
import { epochsWithSamples, type RolloutRow, readRollouts } from '../runs/rollout-rows.ts';
import { type RunFolder, readRunFolder } from '../runs/run-folder.ts';
import { printJson, printLines } from '../terminal/output.ts';
import { notesOf, scoreColumns } from '../terminal/score-columns.ts';
import { tableLines } from '../terminal/table.ts';

export interface RolloutsOptions {
  runsDir: string;
  /** The last epoch with samples by default. */
  epoch?: number;
  split: Split;
  /** Only samples of this prompt. */
  prompt?: string;
  /** Highest or lowest rewards first; in the order of sampling by default. */
  best?: boolean;
  worst?: boolean;
  /** 10 by default, with `json` all. */
  limit?: number;
  json?: boolean;
}

/** @throws AnnealError InvalidData for a run, epoch or prompt without samples. */
export async function printRollouts(run: string, options: RolloutsOptions): Promise<void> {
  const folder = await readRunFolder(run, options.runsDir);
  const epoch = await chooseEpoch(folder, options);
  const rows = await readRollouts(folder.path, epoch, options.split);
  const chosen = choose(rows, options);
  const { limit = options.json ? chosen.length : 10 } = options;
  const shown = chosen.slice(0, limit);
  if (options.json) printJson(shown.map(toJson));
  else {
    const all = `${rows.length} samples of epoch ${epoch}, ${options.split}`;
    printLines([`${all}${fates(rows)}; ${shown.length} shown`, '', ...table(shown), '']);
    printLines(shown.flatMap(textLines));
  }
}

async function chooseEpoch(
  folder: RunFolder,
  { epoch, split }: Pick<RolloutsOptions, 'epoch' | 'split'>,
): Promise<number> {
  const found = await epochsWithSamples(folder, split);
  const chosen = epoch ?? found.at(-1);
  if (chosen !== undefined && found.includes(chosen)) return chosen;
  throw new AnnealError(
    'InvalidData',
    `expected ${split} samples of ${epoch === undefined ? 'an epoch' : `epoch ${epoch}`} in ${folder.path}, ` +
      `found samples of epochs: ${found.join(', ') || 'none'}. Choose one of these with --epoch, or other samples with --split.`,
  );
}

function choose(
  rows: readonly RolloutRow[],
  { prompt, best, worst }: RolloutsOptions,
): RolloutRow[] {
  const chosen = rows.filter(({ promptId }) => prompt === undefined || promptId === prompt);
  if (chosen.length === 0)
    throw new AnnealError(
      'InvalidData',
      `--prompt: expected the id of a prompt that the epoch sampled, such as '${rows[0]?.promptId}', found '${prompt}'`,
    );
  if (!best && !worst) return chosen;
  // Samples without a reward come last either way.
  const last = best ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const order = best ? -1 : 1;
  return chosen.sort((a, b) => order * ((a.reward ?? last) - (b.reward ?? last) || 0));
}

/** How many were trained on, and how many each filter dropped. */
function fates(rows: readonly RolloutRow[]): string {
  if (rows.every(({ trained }) => trained === null)) return '';
  const counts = [...Map.groupBy(rows, trainedCell)].map(
    ([fate, { length }]) => `${length} ${fate === 'yes' ? 'trained on' : fate}`,
  );
  return `: ${counts.join(', ')}`;
}

function trainedCell({ trained, reason }: RolloutRow): string {
  if (trained === null) return absent;
  return trained ? 'yes' : (reason ?? 'no');
}

function table(rows: readonly RolloutRow[]): string[] {
  const { titles, cells } = scoreColumns(rows);
  return tableLines(
    ['prompt', 'sample', ...titles, 'tokens', 'advantage', 'trained'],
    rows.map((row) => [
      row.promptId,
      String(row.sample),
      ...cells(row),
      String(row.tokens.length),
      row.advantage === null ? absent : signed(row.advantage, 3),
      trainedCell(row),
    ]),
  );
}

function textLines(row: RolloutRow): string[] {
  const note = [row.finish, notesOf(row)].filter(Boolean).join(', ');
  return [
    `# ${row.promptId}, sample ${row.sample}, ${note}`,
    row.prompt.trimEnd(),
    row.text.trimEnd(),
    '',
  ];
}

function toJson({ promptId: id, tokens, logprobs: _, program: __, ...row }: RolloutRow) {
  return { id, ...row, tokens: tokens.length };
}
