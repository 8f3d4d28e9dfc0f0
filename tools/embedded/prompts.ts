// Tasks as lines of a prompt file. The expected results of their tests come from running the
// reference solution.

import { runInNewContext } from 'node:vm';
import type { Prompt } from '../../src/records/prompts.ts';
import { referenceOf } from './program.ts';
import { splitSeed, splitTasks } from './split.ts';
import { type Json, promptOf, type Task } from './tasks/task.ts';

/** The files of data/ by name, one JSON object per line. */
export function promptFiles(): Record<'train.jsonl' | 'held-out.jsonl', string> {
  const { train, heldOut } = splitTasks(splitSeed);
  const lines = (tasks: Task[]) => tasks.map((task) => `${JSON.stringify(toPrompt(task))}\n`);
  return { 'train.jsonl': lines(train).join(''), 'held-out.jsonl': lines(heldOut).join('') };
}

/** A task with its tests and reference solution. */
export function toPrompt(task: Task): Prompt {
  const reference = referenceOf(task);
  const tests = task.behaviour.cases.map((args) => ({
    args,
    returns: resultOf(reference, task.entry, args),
  }));
  const { id, entry } = task;
  return { id, prompt: promptOf(task), entry, language: 'javascript', tests, reference };
}

/**
 * The return value of our own `program`, as JSON. Not for sampled programs: there is no sandbox.
 */
function resultOf(program: string, entry: string, args: Json[]): Json {
  const call = `${program}\nJSON.stringify(${entry}(...${JSON.stringify(args)}))`;
  return JSON.parse(runInNewContext(call) as string) as Json;
}
