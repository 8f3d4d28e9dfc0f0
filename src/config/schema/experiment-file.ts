// The experiment file: variants of one run file, each with every seed. Loading it resolves the
// configuration of each run.

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { loadRunFile } from '../load.ts';
import { resolveInput } from '../paths.ts';
import type { RunConfig } from './run.ts';

const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens');

/** Settings by path, such as `rlaif.kl_penalty`, as for `--set`. */
const assignments = z.record(z.string().min(1), z.json());

const experimentSchema = z.strictObject({
  /** Name of the experiment's folder, and prefix of the names of its runs. */
  name: slug,
  /** The run file that every variant changes. */
  run: z.string().min(1),
  seeds: z.array(z.int().min(0)).min(1),
  /** Runs in progress at the same time. */
  concurrency: z.int().positive().default(2),
  /** Settings that all variants override. */
  set: assignments.default({}),
  variants: z
    .array(
      z.strictObject({ name: slug, title: z.string().optional(), set: assignments.default({}) }),
    )
    .min(1),
});

/** One run of the grid. */
export interface ExperimentRun {
  /** Name of the run. */
  id: string;
  variant: string;
  seed: number;
  config: RunConfig;
}

export interface Experiment {
  name: string;
  concurrency: number;
  variants: { name: string; title: string }[];
  seeds: number[];
  /** Every variant with every seed, seed by seed, so that each seed can be compared early. */
  runs: ExperimentRun[];
}

/**
 * Load an experiment file and the configuration of each of its runs.
 * @throws AnnealError InvalidConfig naming the file, and the variant if that is at fault
 */
export async function loadExperiment(path: string): Promise<Experiment> {
  const file = experimentSchema.safeParse(await readYaml(path));
  if (!file.success)
    throw new AnnealError('InvalidConfig', `${path}: ${z.prettifyError(file.error)}`);
  const { name, run, seeds, concurrency, set, variants } = file.data;
  const names = variants.map((variant) => variant.name);
  const twice = names.find((variant, i) => names.indexOf(variant) !== i);
  if (twice)
    throw new AnnealError(
      'InvalidConfig',
      `${path}: variants: expected a different name for each variant, found '${twice}' twice`,
    );
  const base = resolveInput(run, 'run');
  const runs: ExperimentRun[] = [];
  for (const seed of seeds)
    for (const variant of variants) {
      const id = `${name}-${variant.name}-s${seed}`;
      const flags = Object.entries({ ...set, ...variant.set });
      const config = await loadRunFile(base, {
        set: flags.map(([key, value]) => `${key}=${JSON.stringify(value)}`),
        overrides: { seed, name: id },
      }).catch((cause) => {
        throw inVariant(path, variant.name, cause);
      });
      runs.push({ id, variant: variant.name, seed, config });
    }
  const titled = variants.map(({ name: id, title }) => ({ name: id, title: title ?? id }));
  return { name, concurrency, variants: titled, seeds, runs };
}

async function readYaml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const message = `${path}: expected an experiment file, cannot read it: ${(cause as Error).message}`;
    throw new AnnealError('InvalidConfig', message, { cause });
  }
}

function inVariant(path: string, variant: string, cause: unknown): unknown {
  if (!(cause instanceof AnnealError)) return cause;
  return new AnnealError(cause.kind, `${path}, variant '${variant}': ${cause.message}`, { cause });
}
