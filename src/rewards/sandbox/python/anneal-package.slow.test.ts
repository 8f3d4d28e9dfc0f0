// The Python package `_anneal`, function by function, in the interpreter that it runs in.

import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { annealModules } from './setup.ts';

const sandbox = new Sandbox({ timeLimitMs: 5000, memoryLimitMb: 64 }, 'python');
afterAll(() => sandbox.close());

/** What a Python function of that source returns. @throws with what it raised */
async function call(source: string, entry: string, ...args: unknown[]): Promise<unknown> {
  const [outcomes] = await sandbox.run([{ source, entry, calls: [JSON.stringify(args)] }]);
  const outcome = outcomes![0]!;
  if ('failed' in outcome) throw new Error(outcome.failed);
  return JSON.parse(outcome.returned);
}
const imported = (module: string, entry: string, ...args: unknown[]) =>
  call(`from _anneal.${module} import ${entry}`, entry, ...args);
const lines = (...all: string[]) => all.join('\n');

const limits = { list_length: 10, levels: 3, lines: 30, lines_per_finding: 10 };
const withProgram = (expression: string) => `
import ast
from _anneal import cost, documentation, expressions, names, structure
from _anneal.syntax import Program
def ask(source, entry, limits):
    tree = ast.parse(source)
    named = [it for it in tree.body if getattr(it, 'name', None) == entry]
    program = Program(source, tree, named[-1] if named else None, limits)
    return ${expression}
`;
const ask = (expression: string, source: string, entry = 'f') =>
  call(withProgram(expression), 'ask', source, entry, limits);

it('loads every module there is', () => {
  const files = readdirSync(new URL('_anneal', import.meta.url)).filter((it) => it.endsWith('.py'));
  expect(files.sort()).toEqual(annealModules.map((name) => `${name}.py`).sort());
});

/** Python lines of nested `if`s. */
const nested = (depth: number) =>
  Array.from({ length: depth + 1 }, (_, level) => {
    const indent = '    '.repeat(level + 1);
    return `${indent}${level < depth ? 'if a:' : 'return a'}`;
  });
const longFunction = (count: number) =>
  lines('def f(a):', ...Array.from({ length: count - 1 }, () => '    a += 1'), '    return a');

const findings: Record<string, [source: string, count: number][]> = {
  'names.undeclared_names': [
    ['def f(a): return a + b', 1],
    ['def f(a): return a + b + b', 1],
    ['def f(a): return len(a)', 0],
    ['import math\ndef f(a): return math.pi', 0],
    ['def f(a):\n  try: return a\n  except ValueError as e: return e', 0],
    ['def f(a): return g(a)\ndef g(a): return a', 0],
  ],
  'names.unused_parameters': [
    ['def f(a, b): return a', 1],
    ['def f(a, _b): return a', 0],
    ['def f(a, *rest, **more): return a', 2],
    ['def f(a):\n  def g(): return a\n  return g', 0],
    ['class C:\n  def g(self): return 1\ndef f(a): return a', 0],
  ],
  'names.unused_variables': [
    ['def f(a):\n  b = 1\n  return a', 1],
    ['def f(a):\n  for _ in a: pass\n  return a', 0],
    ['def f(a):\n  b, c = a\n  return b', 1],
    ['b = 1\ndef f(a): return a', 0],
  ],
  'names.unused_imports': [
    ['import math\ndef f(a): return a', 1],
    ['import os.path as p\ndef f(a): return p', 0],
    ['import os.path\ndef f(a): return os', 0],
    ['from math import pi, tau\ndef f(a): return pi', 1],
  ],
  'names.single_letter_names': [
    ['def f(a, b): return a', 2],
    ['def f(values):\n  for i in values: pass', 0],
    ['def f(values): return [x for x in values]', 0],
    ['def f(values):\n  _ = values\n  t = 1', 1],
  ],
  'names.unconventional_names': [
    ['def F(): pass\ndef f(theValue): return theValue', 2],
    ['LIMIT = 3\ndef f(value): return value', 0],
  ],
  'names.shadowed_builtins': [
    ['def f(list): return list', 1],
    ['def f(a):\n  sum = max = a\n  return sum', 2],
    ['def sum(a): return a\ndef f(a): return a', 1],
  ],
  'structure.trivial_body': [
    ['def f(): pass', 1],
    ['def f():\n  "Says something."', 1],
    ['def f(): ...', 1],
    ['def f(a): return 1', 1],
    ['def f(a): return', 1],
    ['def f(): return 1', 0],
    ['def f(a): return a', 0],
  ],
  'structure.missing_returns': [
    ['def f(a): a += 1', 1],
    ['def f(a): yield a', 0],
    ['def f(a): raise ValueError', 0],
  ],
  'structure.unreachable': [
    ['def f(a):\n  return a\n  a = 1', 1],
    ['def f(a):\n  for b in a:\n    break\n    b = 1\n  else:\n    return 1\n    a = 1', 2],
    ['def f(a):\n  if a: return 1\n  return 2', 0],
  ],
  'structure.stray_statements': [
    ['def f(a): return a\nf(1)', 1],
    ['"""About."""\nimport math\nx: int = 1\nclass C: pass\ndef f(a): return a', 0],
    ['if True: pass\ndef f(a): return a\nfor i in []: pass', 2],
    ['def f(a): return a\nif __name__ == "__main__":\n  f(1)', 0],
    ['def f(a): return a\nif "__main__" == __name__: f(1)', 0],
    ['def f(a): return a\nif __name__ != "__main__": f(1)', 1],
  ],
  'structure.bare_excepts': [
    ['def f(a):\n  try: return a\n  except: return 1', 1],
    ['def f(a):\n  try: return a\n  except BaseException: return 1', 1],
    ['def f(a):\n  try: return a\n  except ValueError: return 1', 0],
  ],
  'structure.deep_levels': [
    [lines('def f(a):', ...nested(3)), 0],
    [lines('def f(a):', ...nested(5)), 2],
  ],
  'structure.excess_lines': [
    [longFunction(31), 0],
    [longFunction(32), 1],
    [longFunction(41), 2],
    [lines('def f(a):', '  """', ...Array(40).fill('  words'), '  """', '  return a'), 0],
  ],
  'structure.empty_blocks': [
    ['def f(a):\n  try: return a\n  except ValueError: pass', 1],
    ['def f(a):\n  if a: pass\n  else: pass', 2],
    ['def f(a): pass', 0],
  ],
  'expressions.dynamic_code': [
    ['def f(a): return eval(a)', 1],
    ['run = exec\ndef f(a): return run(a) or globals()', 2],
    ['def f(a): return a.eval()', 0],
  ],
  'expressions.without_effect': [
    ['def f(a):\n  a + 1\n  return a', 1],
    ['def f(a):\n  a.sort()\n  return a', 0],
    ['def f(a):\n  "A docstring."\n  "Another string."\n  return a', 1],
    ['async def f(a):\n  await a\n  return 1', 0],
  ],
  'expressions.prints': [
    ['def f(a):\n  print(a)\n  return a', 1],
    ['def f(a): return a.print()', 0],
    ['def f(a): return a\nif __name__ == "__main__": print(f(1))', 0],
  ],
  'expressions.mutable_defaults': [
    ['def f(a=[], *, b={}): return a, b', 2],
    ['def f(a=(), b=None): return a, b', 0],
  ],
  'expressions.singleton_comparisons': [
    ['def f(a): return a == None or a != True', 2],
    ['def f(a): return a is None or a == 1 or a == 0', 0],
    ['def f(a): return 1 < a == False', 1],
  ],
  'expressions.redundant_booleans': [
    ['def f(a): return True if a else False', 1],
    ['def f(a): return 1 if a else 0', 0],
  ],
  'expressions.counted_walks': [
    ['def f(a):\n  for i in range(len(a)): pass', 1],
    ['def f(a):\n  for i in range(1, len(a)): pass', 0],
    ['def f(a):\n  for i in range(a): pass', 0],
  ],
};

describe.each(Object.entries(findings))('%s', (counter, cases) => {
  it.each(cases)('%j has %i', async (source, count) => {
    expect(await ask(`int(${counter}(program))`, source)).toBe(count);
  });
});

it('tests every counter of the review', async () => {
  const source = `
from _anneal.review import FINDINGS
def counters():
    return [f'{it.__module__}.{it.__name__}' for it in FINDINGS.values()]
`;
  const counters = (await call(source, 'counters')) as string[];
  expect(counters.map((it) => it.split('.').slice(-2).join('.')).sort()).toEqual(
    Object.keys(findings).sort(),
  );
});

it('a whole program may print and have statements, and has no entry to miss a return', async () => {
  const source = 'total = int(input())\nprint(total)\n';
  for (const it of ['structure.stray_statements', 'expressions.prints', 'structure.trivial_body'])
    expect(await ask(`int(${it}(program))`, source, '')).toBe(0);
  expect(await ask('int(structure.missing_returns(program))', source, '')).toBe(0);
});

describe('analyse', () => {
  const analyse = (source: string, entry = 'f') =>
    imported('review', 'analyse', source, entry, limits);

  it('reports findings in the order of their gravity, with documentation and cost', async () => {
    expect(await analyse('import math\ndef f(a, b=[]):\n  return b')).toEqual({
      findings: [
        ['unused parameter', 1],
        ['unused import', 1],
        ['mutable default', 1],
        ['single-letter name', 2],
      ],
      documentation: { comment: 0 },
      cost: 0,
    });
  });

  it.each([
    ['def f(', 'f', /^does not parse: '\(' was never closed/],
    ['x = 1', 'f', /^no function 'f' is defined at the top level$/],
    [`x = ${'('.repeat(5000)}`, '', /^does not parse: too many nested parentheses/],
    [`x = ${'-'.repeat(100_000)}1`, '', /^does not parse: /],
    ['a\0b', '', /^does not parse: .*null byte/],
  ])('gives the reason for %j', async (source, entry, reason) => {
    const found = (await analyse(source, entry)) as { failed: string };
    expect(found.failed).toMatch(reason);
  });

  it.each(['class C:\n  def f(self): pass', 'from os import f', 'if x:\n  def f(): pass'])(
    'leaves it to the tests whether %j defines the entry',
    async (source) => {
      const hidden = "no function 'f' is defined at the top level";
      expect(await analyse(source, 'f')).toEqual({ hidden });
    },
  );

  it('accepts an entry that is assigned, and reads the last of two definitions', async () => {
    expect(await analyse('f = lambda a: a')).toMatchObject({ documentation: { opening: 0 } });
    const twice = 'def f(): pass\ndef f(a):\n  "Returns what it is given."\n  return a';
    expect(await analyse(twice)).toMatchObject({ documentation: { description: 5 } });
  });

  it('reads an empty program', async () => {
    expect(await analyse('', '')).toEqual({ findings: [], documentation: { opening: 0 }, cost: 0 });
  });
});

describe('documentation', () => {
  it.each([
    ['"""\nAdd two numbers.\n\nArgs:\n  a: the first\n  b (int): the second\n"""', 3, 2, null],
    ['"""Add.\n\n:param a: the first\n:param int b:\n:returns: the sum\n"""', 1, 2, ' the sum'],
    ['"""Add.\n\nReturns: the sum\n"""', 1, 0, 'the sum'],
    ['"""Add.\n\nReturns:\n  the sum\n  of both\n"""', 1, 0, '  the sum  of both'],
    ['"""Add.\n\nNotes:\n  a: is no parameter\n"""', 1, 0, null],
  ])('reads %j', async (docstring, words, params, returns) => {
    const source = `from _anneal.documentation import read_docstring, words
import ast
def read(text):
    description, params, returns = read_docstring(ast.get_docstring(ast.parse(text)))
    return [len(words(description)), len(params), returns]
`;
    expect(await call(source, 'read', docstring)).toEqual([words, params, returns]);
  });

  it('counts parameters named, described and unknown', async () => {
    const documented = [
      ['a', 'the first'],
      ['b', ''],
      ['a', 'once more'],
      ['c', 'none'],
    ];
    expect(await imported('documentation', 'count_params', ['a', 'b'], documented)).toEqual({
      expected: 2,
      named: 2,
      described: 1,
      unknown: 2,
    });
  });

  it.each([
    ['def f(a):\n  """Add.\n\n  Returns: it\n  """\n  return a', true],
    ['def f(a):\n  """Add."""\n  return a', false],
    ['def f(a):\n  """Add."""\n  a.add()', true],
    ['def f(a):\n  """Add.\n\n  Returns: it\n  """\n  a.add()', false],
    ['def f(a):\n  """Add.\n\n  Yields: it\n  """\n  yield a', true],
  ])('a result is described if there is one: %j', async (source, returns) => {
    expect(await ask('documentation.read_documentation(program)', source)).toMatchObject({
      returns,
    });
  });

  it('without a docstring, it is the comment above', async () => {
    const source = '# Sum up the numbers.\ndef f(a): return a';
    expect(await ask('documentation.read_documentation(program)', source)).toEqual({ comment: 4 });
    expect(await ask('documentation.read_documentation(program)', `\n${source}`, 'f')).toEqual({
      comment: 4,
    });
    const away = '# Sum up the numbers.\n\ndef f(a): return a';
    expect(await ask('documentation.read_documentation(program)', away)).toEqual({ comment: 0 });
  });

  it('of a whole program, it is the opening', async () => {
    const source = '"""Reads two numbers."""\nprint(input())';
    expect(await ask('documentation.read_documentation(program)', source, '')).toEqual({
      opening: 3,
    });
  });
});

describe('cost', () => {
  it.each([
    ['def f(a): return a', 0],
    ['def f(a): return a + 1', 1],
    ['def f(a):\n  for b in a: b + 1\n  return a', 10],
    ['def f(a):\n  for b in a:\n    for c in a: b + c', 100],
    ['def f(a):\n  while a: a -= 1', 10],
    ['def f(a): return [b + 1 for b in a]', 20],
    ['def f(a): return {b: c for b in a for c in b if c}', 100],
    ['def f(a): return sorted(a)', 34],
    ['def f(a): return sum(a)', 11],
    ['def f(a): return a.split()', 2],
    ['def f(a): return 1 in a', 11],
    ['def f(a): return 1 in {1, 2}', 2],
    ['def f(a):\n  b = set()\n  return 1 in b', 3],
    ['def f(a): return a[1:]', 11],
    ['def f(a): return g(a) + g(a)\ndef g(a): return a + 1', 5],
    ['def f(a): return f(a - 1)', 20],
    ['def f(a): return f(a - 1) + f(a - 2)', 500],
    ['def f(a): return f(a) + f(a) + f(a)', 500],
    ['def f(a):\n  def g(b): return b + 1\n  return a', 0],
  ])('%j costs %i', async (source, cost) => {
    const expression =
      "cost.Costing(program.tree, program.limits['list_length']).of_function(program.entry)";
    expect(await ask(expression, source)).toBe(cost);
  });
});

describe('printing', () => {
  const normalForm = (source: string) => imported('printing', 'normal_form', source);
  const printed = (source: string, comments = 'strip', names = 'rename', limit = 5) =>
    imported('printing', 'printed', source, comments, names, limit, 'f', []);

  it('a normal form leaves out layout, docstrings and local names', async () => {
    const form = await normalForm('def f(a):\n  "Says."\n  b = a # why\n  return (b)');
    expect(form).toBe(await normalForm('def f(x):\n\n    y = x\n    return y'));
    expect(form).not.toBe(await normalForm('def f(x):\n  y = x\n  return x'));
    expect(form).not.toBe(await normalForm('def g(x):\n  y = x\n  return y'));
  });

  it('a parameter that some call names keeps its name', async () => {
    expect(await printed('def f(key): return f(key=key)')).toBe(
      'def f(key):\n    return f(key=key)',
    );
  });

  it.each([
    ['def f(total):\n  "Says."\n  return total # that', 'def f(v0):\n    return v0'],
    ['def f(): "Says."', 'def f():\n    pass'],
    ['x = "123456"\ndef f(): return x', "v0 = '12345… (6 characters)'\ndef f():\n    return v0"],
    ['', null],
    ['pass', null],
    ['def f(', null],
  ])('prints %j', async (source, text) => {
    const found = await printed(source);
    expect(typeof found === 'string' ? found.replaceAll('\n\n', '\n') : found).toBe(text);
  });

  it('keeps what it is asked to keep', async () => {
    const source = 'def f(a):\n    """Says."""\n    return a';
    expect(await printed(source, 'keep', 'keep')).toBe(source);
  });
});

describe('assertions', () => {
  /** What a test comes to if its calls get these answers, and the calls that it makes. */
  const judge = (text: string, ...answers: [kind: string, content: unknown][]) =>
    call(
      `
import io, marshal
from _anneal import assertions
class Sandbox:
    def __init__(self, answers): self.answers, self.calls, self.answer = answers, [], None
    def write(self, _, call):
        self.calls.append(marshal.loads(call))
        kind, content = self.answers.pop(0)
        content = marshal.dumps(content, 2) if kind == 'r' else content.encode()
        self.answer = io.BytesIO(kind.encode() + len(content).to_bytes(4, 'little') + content)
    def read(self, _, size): return self.answer.read(size)
def judge(text, answers):
    assertions.os = Sandbox(answers)
    return assertions.judge_test(text, 'f'), assertions.os.calls
`,
      'judge',
      text,
      answers,
    );

  it('decides with the answers to its calls', async () => {
    const test = 'assert f(1, a=[2]) == 1';
    const calls = [[[1], { a: [2] }]];
    expect(await judge(test, ['r', 1])).toEqual([{ returned: 'true' }, calls]);
    expect(await judge(test, ['r', 2])).toEqual([
      { failed: 'failed: assert f(1, a=[2]) == 1 ' },
      calls,
    ]);
    expect(await judge(test, ['e', 'ValueError\nOwn: no'])).toEqual([
      { failed: 'ValueError: no' },
      calls,
    ]);
    expect(await judge(test, ['f', 'time limit'])).toEqual([{ failed: 'time limit' }, calls]);
  });

  it('a test may expect an exception, but not catch what ended a program', async () => {
    const catching = (kind: string) => `try: f()\nexcept ${kind}: pass\nelse: assert False`;
    const outcomeOf = async (kind: string, ...answers: [string, string][]) =>
      ((await judge(catching(kind), ...answers)) as unknown[])[0];
    expect(await outcomeOf('ValueError', ['e', 'ValueError\nno'])).toEqual({ returned: 'true' });
    expect(await outcomeOf('ValueError', ['e', 'UnicodeDecodeError\nno'])).toEqual({
      returned: 'true',
    });
    for (const kind of ['Exception', 'BaseException'])
      for (const answer of [
        ['e', 'SystemExit\nno'],
        ['f', 'no'],
        ['e', 'print\nno'],
      ] as const)
        expect(await outcomeOf(kind, [...answer])).toEqual({ failed: 'no' });
  });

  it('names what is wrong with a test itself', async () => {
    expect(await judge('assert g(1)')).toEqual([
      { failed: "NameError: name 'g' is not defined" },
      [],
    ]);
    expect(await judge('assert (')).toMatchObject([
      { failed: expect.stringMatching(/^SyntaxError: /) },
      [],
    ]);
  });

  const split = (test: string, prompt = '') =>
    imported('assertions', 'split_checks', test, 'f', prompt);

  it('splits a check into its assertions, with what they use', async () => {
    const test = lines(
      'METADATA = {}',
      'import math',
      'def other(): return 2',
      'def near(a): return a',
      'def check(candidate):',
      '    assert candidate(1) == near(1)',
      '    assert True',
      '    assert candidate(2) == 2',
    );
    const before = 'import math\ndef near(a):\n    return a\n';
    expect(await split(test)).toEqual([
      `${before}assert f(1) == near(1)`,
      `${before}assert f(2) == 2`,
    ]);
  });

  it('takes functions of the prompt along, and keeps a check with other statements whole', async () => {
    const prompt = 'import re\ndef helper(a):\n  return a\ndef f(a):\n  """Says."""\n';
    const test = 'def check(it):\n    for a in [1]:\n        assert it(a) == helper(a)';
    const helper = 'import re\ndef helper(a):\n    return a\n';
    expect(await split(test, prompt)).toEqual([`${helper}${test}\ncheck(f)`]);
  });

  it('refuses a test without a check', async () => {
    await expect(split('assert f(1)')).rejects.toThrow('StopIteration');
  });
});
