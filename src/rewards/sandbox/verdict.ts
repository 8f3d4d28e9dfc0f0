// Compares what a program returned with what its tests expect, in the parent process: expected
// values never leave it.

import { isDeepStrictEqual } from 'node:util';
import type { Prompt } from '../../records/prompts.ts';
import type { ProgramOutcome, SandboxProgram } from './protocol.ts';

/** The tests of a prompt as calls of a program, without the expected values. */
export function toSandboxProgram(prompt: Prompt, source: string): SandboxProgram {
  const calls = prompt.tests.map((test) => {
    if ('assert' in test) return { assert: test.assert };
    return 'stdin' in test ? { stdin: test.stdin } : JSON.stringify(test.args);
  });
  return { source, entry: prompt.entry, calls };
}

type PromptTest = Prompt['tests'][number];

export interface Verdict {
  /** Share of tests passed, in [0, 1]. */
  passed: number;
  /** The first failure, if any. */
  failure?: string;
}

/**
 * Deep equality of JSON: the order of keys does not matter, -0 equals 0, an undefined property
 * counts as absent. NaN, undefined and everything else that is not JSON equals nothing.
 */
export function judgeOutcome(tests: Prompt['tests'], outcome: ProgramOutcome): Verdict {
  const failures = tests.map((test, index) => {
    const call = outcome[index] ?? { failed: 'not run' };
    const where = `test ${index + 1} of ${tests.length}: `;
    if ('failed' in call) return where + call.failed;
    const isPassed = isExpected(call.returned, test);
    return isPassed ? null : where + shortfall(call.returned, test);
  });
  const failure = failures.find((text) => text !== null);
  const passed = failures.filter((text) => text === null).length / tests.length;
  return { passed, ...(failure && { failure }) };
}

function isExpected(returned: string, test: PromptTest): boolean {
  if ('assert' in test) return returned === 'true';
  if ('stdin' in test) return trimmed(String(parse(returned))) === trimmed(test.stdout);
  return isEqualJson(returned, test.returns);
}

function shortfall(returned: string, test: PromptTest): string {
  if ('assert' in test) return `expected ${excerpt(test.assert)}`;
  const expected = JSON.stringify('stdin' in test ? test.stdout : test.returns);
  return `expected ${excerpt(expected)}, got ${excerpt(returned)}`;
}

/** Without white space (ASCII's only) at the ends of lines and empty lines at the end. */
function trimmed(text: string): string {
  const lines = text.split('\n').map((line) => withoutEnd(line, ' \t\r\v\f'));
  return withoutEnd(lines.join('\n'), '\n');
}

function withoutEnd(text: string, spaces: string): string {
  let end = text.length;
  while (end > 0 && spaces.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

function isEqualJson(returned: string, expected: unknown): boolean {
  return isDeepStrictEqual(parse(returned), JSON.parse(JSON.stringify(expected)));
}

/** Text from another process may be anything; if it is not JSON, it equals nothing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function excerpt(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
