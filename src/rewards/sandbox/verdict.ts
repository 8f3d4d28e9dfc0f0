// Compares what a program returned with what its tests expect, in the parent process: expected
// values never leave it.

import { parseExactJson, toExactJson } from '../../records/exact-json.ts';
import type { Prompt, TestValue } from '../../records/prompts.ts';
import type { Language, ProgramOutcome, SandboxProgram } from './protocol.ts';

/** The tests of a prompt as calls of a program, without the expected values. */
export function toSandboxProgram(prompt: Prompt, source: string): SandboxProgram {
  const calls = prompt.tests.map((test) => {
    if ('assert' in test) return { assert: test.assert };
    return 'stdin' in test ? { stdin: test.stdin } : toExactJson(test.args);
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
 * counts as absent. NaN, undefined and everything else that is not JSON equals nothing. Numbers are
 * compared exactly: as doubles in JavaScript and TypeScript, with all digits in Python.
 */
export function judgeOutcome(
  tests: Prompt['tests'],
  outcome: ProgramOutcome,
  language: Language = 'javascript',
): Verdict {
  const read = language === 'python' ? parseExactJson : JSON.parse;
  const failures = tests.map((test, index) => {
    const call = outcome[index] ?? { failed: 'not run' };
    const where = `test ${index + 1} of ${tests.length}: `;
    if ('failed' in call) return where + call.failed;
    const isPassed = isExpected(call.returned, test, read);
    return isPassed ? null : where + shortfall(call.returned, test);
  });
  const failure = failures.find((text) => text !== null);
  const passed = failures.filter((text) => text === null).length / tests.length;
  return { passed, ...(failure && { failure }) };
}

type ReadJson = (text: string) => unknown;

function isExpected(returned: string, test: PromptTest, read: ReadJson): boolean {
  if ('assert' in test) return returned === 'true';
  try {
    const value = read(returned);
    if ('stdin' in test) return trimmed(String(value)) === trimmed(test.stdout);
    return isEqual(value, test.returns);
  } catch {
    // Text from another process may be anything.
    return false;
  }
}

function shortfall(returned: string, test: PromptTest): string {
  if ('assert' in test) return `expected ${excerpt(test.assert)}`;
  const expected = toExactJson('stdin' in test ? test.stdout : test.returns);
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

function isEqual(value: unknown, expected: TestValue | undefined): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return isEqualNumber(value, expected);
  if (typeof value !== 'object' || value === null) return value === expected;
  if (typeof expected !== 'object' || expected === null) return false;
  if (Array.isArray(value) !== Array.isArray(expected)) return false;
  const wanted = Object.entries(expected).filter(([, item]) => item !== undefined);
  return (
    wanted.length === Object.keys(value).length &&
    wanted.every(([key, item]) => Object.hasOwn(value, key) && isEqual((value as Items)[key], item))
  );
}

type Items = Record<string, unknown>;

function isEqualNumber(value: number | bigint, expected: unknown): boolean {
  if (typeof value === typeof expected) return value === expected;
  if (typeof expected === 'bigint') return Number.isInteger(value) && BigInt(value) === expected;
  return typeof expected === 'number' && Number.isInteger(expected) && BigInt(expected) === value;
}

function excerpt(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
