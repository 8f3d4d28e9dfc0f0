// Which tasks are trained on and which are held out. The split is by behaviour: the behaviour of a
// held-out prompt occurs in no training prompt and no pretraining program, under any name. Families
// are shared.

import { permutation, uniforms } from '../../src/engine/sampling/random.ts';
import { families } from './tasks/families.ts';
import { type Behaviour, type Family, type Task, tasksOf } from './tasks/task.ts';

/** Seed of the committed split. */
export const splitSeed = 1;

/** Prompts per family in data/train.jsonl; 42 families make 294. */
const trainPerFamily = 7;
/** Prompts per family in data/held-out.jsonl, one per behaviour; 42 families make 84. */
const heldOutPerFamily = 2;

export interface Split {
  train: Task[];
  heldOut: Task[];
  /** By family, the behaviours that pretraining may use. */
  pretraining: { family: Family; behaviours: Behaviour[] }[];
}

function shuffled<T>(list: readonly T[], ...stream: (string | number)[]): T[] {
  return permutation(list.length, uniforms(...stream)).map((i) => list[i]!);
}

/** `count` different tasks: the behaviours in turn, each time under other names. */
function namedTasks(family: Family, behaviours: Behaviour[], count: number, seed: number): Task[] {
  const namings = behaviours.map((behaviour) =>
    shuffled(tasksOf(family, behaviour), seed, 'names', family.name, behaviour.key),
  );
  return Array.from({ length: count }, (_, i) => {
    const round = Math.floor(i / behaviours.length);
    return namings[i % behaviours.length]![round]!;
  });
}

/** Interleaves the families, so that the top of a list covers as many of them as possible. */
function inRounds(byFamily: readonly Task[][], seed: number, stream: string): Task[] {
  const rounds = Math.max(...byFamily.map((tasks) => tasks.length));
  return Array.from({ length: rounds }, (_, round) =>
    shuffled(
      byFamily.flatMap((tasks) => tasks.slice(round, round + 1)),
      seed,
      stream,
      round,
    ),
  ).flat();
}

/** The split of all tasks, which depends only on the seed. */
export function splitTasks(seed: number): Split {
  const dealt = families.map((family) => {
    const behaviours = shuffled(family.behaviours, seed, 'split', family.name);
    const heldOut = behaviours.slice(0, heldOutPerFamily);
    return { family, heldOut, seen: behaviours.slice(heldOutPerFamily) };
  });
  const train = dealt.map(({ family, seen }) => namedTasks(family, seen, trainPerFamily, seed));
  const heldOut = dealt.map(({ family, heldOut }) =>
    namedTasks(family, heldOut, heldOutPerFamily, seed),
  );
  return {
    train: inRounds(train, seed, 'train'),
    heldOut: inRounds(heldOut, seed, 'held-out'),
    pretraining: dealt.map(({ family, seen }) => ({ family, behaviours: seen })),
  };
}
