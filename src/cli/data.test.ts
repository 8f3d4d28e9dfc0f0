import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { readPrompts } from '../rewards/prompts.ts';
import { checkCommand, importCommand } from './data.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-data-'));
});
afterAll(() => rm(folder, { recursive: true }));
const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
afterEach(() => printed.mockClear());

const at = (name: string) => join(folder, name);
async function imported(format: 'humaneval' | 'mbpp', ...rows: object[]) {
  await writeFile(at('in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await importCommand(at('in.jsonl'), { format, output: at('out.jsonl') });
  return readPrompts(at('out.jsonl'));
}
async function check() {
  const code = await checkCommand(at('out.jsonl'));
  return { code, lines: printed.mock.calls.map(([line]) => String(line)) };
}

const doubling = {
  task_id: 'HumanEval/900',
  prompt: 'def double_all(values):\n    """ Double every value. """\n',
  entry_point: 'double_all',
  canonical_solution: '    return [value * 2 for value in values]\n',
  test: `

METADATA = {'author': 'x'}


def check(candidate):
    assert candidate([1, 2]) == [2, 4], "two"
    assert candidate([]) == []
    assert True, "always"
`,
};
const decoding = {
  task_id: 'HumanEval/901',
  prompt:
    'import math\n\ndef shift(text):\n    return text[1:] + text[:1]\n\n\ndef unshift(text):\n    """ Undo shift. """\n',
  entry_point: 'unshift',
  canonical_solution: '    return text[-1:] + text[:-1]\n',
  test: `
def check(candidate):
    for text in ["", "abc", "hello"]:
        assert candidate(shift(text)) == text
    assert math.isclose(len(candidate("ab")), 2.0)
`,
};

it("imports HumanEval: asserts one by one, and loops with the prompt's own functions", async () => {
  const [double, unshift] = await imported('humaneval', doubling, decoding);
  expect(double).toMatchObject({
    id: 'HumanEval/900',
    entry: 'double_all',
    continues: true,
    tests: [
      { assert: "assert double_all([1, 2]) == [2, 4], 'two'" },
      { assert: 'assert double_all([]) == []' },
    ],
  });
  expect(unshift!.tests).toHaveLength(1);
  expect(await check()).toMatchObject({ code: 0 });
});

it('names references that fail, by line', async () => {
  const wrong = { ...doubling, task_id: 'wrong', canonical_solution: '    return values\n' };
  const broken = { ...doubling, task_id: 'broken', canonical_solution: '    return (\n' };
  await imported('humaneval', doubling, wrong, broken);
  printed.mockClear();
  const { code, lines } = await check();
  expect(code).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(/out\.jsonl, line 2: the reference of 'wrong' fails: test 1 of 2: /),
    expect.stringMatching(/out\.jsonl, line 3: the reference of 'broken' fails: does not parse/),
    '1 of 3 references pass all of their tests',
  ]);
});

it('checks every language and form of test', async () => {
  const reference = 'function twice(text: string): string {\n  return text + text;\n}\n';
  const typed = { language: 'typescript', entry: 'twice', prompt: '// Twice.', reference };
  const asserts = [
    { assert: 'const twofold: string = "aa";\nassert.strictEqual(twice("a"), twofold);' },
  ];
  const printing = {
    prompt: '// Twice.',
    reference: 'const text = readline();\nprint(text + text);',
  };
  const rows = [
    { id: 'right', ...typed, tests: asserts },
    { id: 'enum', ...typed, reference: `enum Side { Left }\n${reference}`, tests: asserts },
    { id: 'wrong', ...typed, tests: [{ args: ['a'], returns: 'a' }] },
    { id: 'run', ...printing, tests: [{ stdin: 'ab', stdout: 'abab' }] },
    { id: 'other run', ...printing, tests: [{ stdin: 'ab', stdout: 'ab' }] },
  ];
  await writeFile(at('out.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const { code, lines } = await check();
  expect(code).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(/line 2: the reference of 'enum' fails: does not strip: line 1: enums/),
    expect.stringMatching(/line 3: the reference of 'wrong' fails: test 1 of 1: expected "a"/),
    expect.stringMatching(/line 5: the reference of 'other run' fails: test 1 of 1: expected "ab"/),
    '2 of 5 references pass all of their tests',
  ]);
});

it('imports MBPP, full and sanitized', async () => {
  const tests = ['assert area(2, 3) == 6', 'assert math.isclose(area(0.5, 1), 0.5)'];
  const code =
    'def helper(a):\r\n    return a\r\n\r\ndef area(a, b):\r\n    return helper(a) * b\r\n';
  const full = {
    task_id: 1,
    text: 'Give the area.',
    code,
    test_list: tests,
    test_setup_code: 'import math',
  };
  const sanitized = {
    task_id: 2,
    prompt: 'Give the area.',
    code,
    test_list: tests,
    test_imports: ['import math'],
  };
  const prompts = await imported('mbpp', full, sanitized);
  expect(prompts.map(({ id, entry }) => [id, entry])).toEqual([
    ['mbpp/1', 'area'],
    ['mbpp/2', 'area'],
  ]);
  expect(prompts[0]!.tests[1]).toEqual({ assert: `import math\n${tests[1]}` });
  expect(await check()).toMatchObject({ code: 0 });
});

it('refuses what is not of the format, by line', async () => {
  await expect(imported('mbpp', doubling)).rejects.toThrow(/in\.jsonl, line 1: /);
  await expect(imported('humaneval', doubling, { ...doubling, test: 'x = 1' })).rejects.toThrow(
    /in\.jsonl, line 2: test: expected a function `check`/,
  );
  expect((await readFile(at('in.jsonl'), 'utf8')).length).toBeGreaterThan(0);
});
