import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { Prompt } from '../../records/prompts.ts';
import { readPrompts } from '../../rewards/prompts.ts';
import { checkPromptFile, importPromptFile } from './data.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-data-'));
});
afterAll(() => rm(folder, { recursive: true }));
const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
afterEach(() => printed.mockClear());

const at = (name: string) => join(folder, name);
function imported(format: 'humaneval' | 'mbpp', ...rows: object[]) {
  return importedFrom('python', format, ...rows);
}
async function importedFrom(
  language: Prompt['language'],
  format: 'humaneval' | 'mbpp',
  ...rows: object[]
) {
  await writeFile(at('in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await importPromptFile(at('in.jsonl'), { format, language, output: at('out.jsonl') });
  return readPrompts(at('out.jsonl'));
}
async function check() {
  const code = await checkPromptFile(at('out.jsonl'));
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

it('names references that fail, with their lines', async () => {
  const wrong = { ...doubling, task_id: 'wrong', canonical_solution: '    return values\n' };
  const broken = { ...doubling, task_id: 'broken', canonical_solution: '    return (\n' };
  await imported('humaneval', doubling, wrong, broken);
  printed.mockClear();
  const { code, lines } = await check();
  expect(code).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(/out\.jsonl, line 2: the reference of 'wrong' fails: test 1 of 2: /),
    expect.stringMatching(/out\.jsonl, line 3: the reference of 'broken' fails: does not parse/),
    '1 of 3 references pass all their tests',
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
    '2 of 5 references pass all their tests',
  ]);
});

it('refuses assertions with numbers that JavaScript rounds', async () => {
  const reference = 'function big(n) {\n  return n * 354224848179261915075;\n}\n';
  const row = { entry: 'big', prompt: '// Big.', reference };
  const literals = ['354224848179261915075', '0x1fffffffffffff', '9_007_199_254_740_993', '1e21'];
  const rows = literals.map((literal) => ({
    ...row,
    id: literal,
    tests: [{ assert: `assert(${literal} > 0)` }],
  }));
  await writeFile(at('out.jsonl'), rows.map((it) => `${JSON.stringify(it)}\n`).join(''));
  printed.mockClear();
  const { lines } = await check();
  expect(lines).toEqual([
    expect.stringMatching(
      /line 1: .*rounds to 354224848179261931520; write 354224848179261915075n/,
    ),
    expect.stringMatching(/line 3: .*found 9007199254740993, which it rounds to 9007199254740992/),
    '2 of 4 references pass all their tests',
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

it('imports translations of both', async () => {
  const added = {
    task_id: 'JavaScript/1',
    prompt: '/* Add. */\nconst add = (a, b) => {\n',
    canonical_solution: '  return a + b;\n}\n',
    test: 'const testAdd = () => {\n  console.assert(add(2, 3) === 5)\n}\n\ntestAdd()\n',
  };
  const wrong = { ...added, task_id: 'wrong', canonical_solution: '  return a - b;\n}\n' };
  const [add] = await importedFrom('javascript', 'humaneval', added, wrong);
  expect(add).toMatchObject({ entry: 'add', language: 'javascript', continues: true });
  printed.mockClear();
  expect((await check()).lines).toEqual([
    expect.stringMatching(/line 2: the reference of 'wrong' fails/),
    '1 of 2 references pass all their tests',
  ]);
  const typed = {
    task_id: 'typed',
    prompt: 'function area(width: number, height: number): number {\n',
    entry_point: 'area',
    canonical_solution: '  return width * height;\n}\n',
    test: 'function check(candidate: typeof area): void {\n  assert.equal(candidate(2, 3), 6);\n}\n',
  };
  await importedFrom('typescript', 'humaneval', typed);
  expect(await check()).toMatchObject({ code: 0 });
  const lost = { ...typed, canonical_solution: '  return width + height;\n}\n' };
  await importedFrom('typescript', 'humaneval', lost);
  expect(await check()).toMatchObject({ code: 1 });
  const twice = {
    task_id: 7,
    text: 'Twice.',
    code: 'const more = (n: number): number => n;\nfunction twice(n: number): number {\n  return more(n) * 2;\n}\n',
    test_list: ['assert(twice(2) === 4)', 'assert.deepEqual([twice(0)], [0])'],
  };
  const [mbpp] = await importedFrom('typescript', 'mbpp', twice);
  expect(mbpp).toMatchObject({
    entry: 'twice',
    prompt: '/*\nTwice.\nassert(twice(2) === 4)\n*/\n',
  });
  expect(await check()).toMatchObject({ code: 0 });
});

it('finds a function that is called with a space before the bracket', async () => {
  const code = 'def other(a):\n    return a\n\ndef is_even (n):\n    return other(n) % 2 == 0\n';
  const tests = ['assert is_even (2) == True', 'assert is_even(3) == False'];
  const [one] = await imported('mbpp', { task_id: 77, text: 'Even?', code, test_list: tests });
  expect(one!.entry).toBe('is_even');
  expect(await check()).toMatchObject({ code: 0 });
});

it('names every bad row and writes nothing, or skips them', async () => {
  const row = (task_id: number, changes = {}) => ({
    task_id,
    text: 'Two.',
    code: 'def two():\n    return 2\n',
    test_list: ['assert two() == 2'],
    ...changes,
  });
  const rows = [
    row(1),
    row(2, { code: 'two = 2' }),
    { task_id: 3 },
    row(4),
    row(1),
    row(5, { test_list: [''] }),
  ];
  const lines = rows.map((it) => JSON.stringify(it)).toSpliced(4, 0, '{"task_id": NaN}');
  await writeFile(at('in.jsonl'), lines.join('\n'));
  await rm(at('out.jsonl'), { force: true });
  const options = { format: 'mbpp', language: 'python', output: at('out.jsonl') } as const;
  const named = [
    /in\.jsonl, line 2: code: expected a function that the first test calls/,
    /in\.jsonl, line 3: code: .*; test_list: /,
    /in\.jsonl, line 5: column 13: found NaN/,
    /in\.jsonl, line 6: id 'mbpp\/1' is also used on line 1/,
    /in\.jsonl, line 7: code: expected a function/,
  ].map((words) => expect.stringMatching(words));
  const { message } = await importPromptFile(at('in.jsonl'), options).catch((error) => error);
  expect(message.split('\n')).toEqual(named);
  await expect(readFile(at('out.jsonl'))).rejects.toThrow('ENOENT');
  printed.mockClear();
  await importPromptFile(at('in.jsonl'), { ...options, skipInvalid: true });
  expect((await readPrompts(at('out.jsonl'))).map(({ id }) => id)).toEqual(['mbpp/1', 'mbpp/4']);
  expect(String(printed.mock.calls[0]).split('\n').slice(1)).toEqual(named);
});

it('skips HumanEval rows whose test has no check, and no file of another format', async () => {
  const options = { format: 'humaneval', language: 'python', output: at('out.jsonl') } as const;
  const rows = [doubling, { ...doubling, task_id: 'odd', test: 'x = 1' }, decoding];
  await writeFile(at('in.jsonl'), gzipSync(rows.map((it) => JSON.stringify(it)).join('\n')));
  await importPromptFile(at('in.jsonl'), { ...options, skipInvalid: true });
  expect(await readPrompts(at('out.jsonl'))).toHaveLength(2);
  const other = importPromptFile(at('in.jsonl'), { ...options, format: 'mbpp', skipInvalid: true });
  await expect(other).rejects.toThrow(/lines 1 to 3: code: /);
  expect(await readPrompts(at('out.jsonl'))).toHaveLength(2);
});

it('checks within the time that it is given', async () => {
  const counting = 'function count() { let n = 0; while (n < 3e6) n++; return n; }';
  const tests = [{ args: [], returns: 3e6 }];
  const row = { id: 'slow', entry: 'count', prompt: '// Count.', reference: counting, tests };
  await writeFile(at('out.jsonl'), JSON.stringify(row));
  const codes = [await checkPromptFile(at('out.jsonl'), { timeLimit: 5 })];
  codes.push(await checkPromptFile(at('out.jsonl'), { timeLimit: 60_000 }));
  expect(codes).toEqual([1, 0]);
});

it('refuses a file of another format, naming the line', async () => {
  await expect(imported('mbpp', doubling)).rejects.toThrow(/in\.jsonl, line 1: /);
  await expect(imported('humaneval', doubling, { ...doubling, test: 'x = 1' })).rejects.toThrow(
    /in\.jsonl, line 2: test: expected a function `check`/,
  );
  expect((await readFile(at('in.jsonl'), 'utf8')).length).toBeGreaterThan(0);
});
