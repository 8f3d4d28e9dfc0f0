// What Python programs can and cannot do in their sandbox process.

import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../program.fixture.ts';
import type { ProgramOutcome } from '../protocol.ts';
import { Sandbox } from '../sandbox.ts';

const sandbox = new Sandbox({ timeLimitMs: 200, memoryLimitMb: 32 }, 'python');
afterAll(() => sandbox.close());

async function run(source: string, ...calls: unknown[][]): Promise<ProgramOutcome> {
  const [outcome] = await sandbox.run([program(source, ...calls)]);
  return outcome!;
}
const returning = (expression: string) => `def f():\n    return ${expression}\n`;

it('calls the entry with each list of arguments', async () => {
  expect(await run('def f(a, b):\n    return a + b\n', [1, 2], ['x', 'y'])).toEqual([
    { returned: '3' },
    { returned: '"xy"' },
  ]);
});

it.each([
  [
    '[None, True, False, 0, -1, 2**31, -2**40, 1.5]',
    '[null,true,false,0,-1,2147483648,-1099511627776,1.5]',
  ],
  ['(1, (2,), [])', '[1,[2],[]]'],
  ['{"a": {"b": 1}, "\u00e9": ""}', '{"a":{"b":1},"é":""}'],
  ['10**20', '100000000000000000000'],
  ['(lambda x: [x, x, {"x": x}])(["twice"])', '[["twice"],["twice"],{"x":["twice"]}]'],
])('returns %s as JSON', async (expression, json) => {
  expect(await run(returning(expression))).toEqual([{ returned: json }]);
});

const hostile = `
class Meta(type):
    def __instancecheck__(cls, it): raise SystemError
    def __subclasscheck__(cls, it): raise SystemError
    def __getattribute__(cls, name): raise SystemError
def refuse(*args, **keywords): raise SystemError
names = '''__iter__ __len__ __getitem__ __eq__ __hash__ __bool__ __int__ __index__ __float__ __str__
__repr__ __contains__ __getattribute__ __reduce_ex__ __bytes__ __buffer__ __class__ keys items values'''
methods = {name: property(refuse) if name == '__class__' else refuse for name in names.split()}
def of(base, *value):
    hidden = methods | ({'__hash__': base.__hash__} if base.__hash__ else {})
    return Meta('Own', (base,), hidden)(*value)
def f(name): return kinds[name]()
`;

it.each([
  ['Counter', 'collections.Counter("aab")', '{"a":2,"b":1}'],
  ['defaultdict', 'collections.defaultdict(list, a=[1])', '{"a":[1]}'],
  ['OrderedDict', 'collections.OrderedDict(b=1, a=2)', '{"b":1,"a":2}'],
  ['namedtuple', 'collections.namedtuple("P", "x y")(1, 2)', '[1,2]'],
  ['IntEnum', 'enum.IntEnum("E", "A B").B', '2'],
  ['StrEnum', 'enum.StrEnum("E", "A B").B', '"b"'],
  [
    'keys',
    '{1: 2, -2**70: 3, True: 4, False: 5, None: 6}',
    '{"1":4,"-1180591620717411303424":3,"false":5,"null":6}',
  ],
  ['list', 'of(list, [1, [2]])', '[1,[2]]'],
  ['tuple', 'of(tuple, (1, 2))', '[1,2]'],
  ['str', 'of(str, "\u00e9")', '"\u00e9"'],
  [
    'int',
    '[of(int, 7), of(int, -2**70), of(int, 2**31)]',
    '[7,-1180591620717411303424,2147483648]',
  ],
  ['float', 'of(float, 1.5)', '1.5'],
  ['dict', 'of(dict, {of(str, "a"): of(list, [of(int, 1)])})', '{"a":[1]}'],
])('takes a %s of its own class by value', async (kind, expression, json) => {
  const source = `import collections, enum${hostile}kinds = {"${kind}": lambda: ${expression}}\n`;
  expect(await run(source, [kind])).toEqual([{ returned: json }]);
});

it('passes JSON values exactly', async () => {
  const values = [null, true, 0, -7, 2 ** 31, -(2 ** 40), 0.1, 1e300, 'é\n', [[]], { a: [1] }];
  expect(await run('def f(*args):\n    return args\n', values)).toEqual([
    { returned: JSON.stringify(values) },
  ]);
});

it('takes and returns whole numbers of any size', async () => {
  const digits = '9007199254740993,-354224848179261915075,18446744073709551616';
  const source =
    'def f(*all):\n    return [type(it).__name__ for it in all], [it + 1 for it in all]\n';
  const call = `[${digits},1e20]`;
  expect(await sandbox.run([{ source, entry: 'f', calls: [call] }])).toEqual([
    [
      {
        returned:
          '[["int","int","int","float"],' +
          '[9007199254740994,-354224848179261915074,18446744073709551617,1e+20]]',
      },
    ],
  ]);
});

it.each([
  ['float("nan")', 'no JSON value'],
  ['{1, 2}', 'no JSON value'],
  ['{(1, 2): 2}', 'no JSON value|key that JSON cannot hold'],
  ['{1.5: 2}', 'key that JSON cannot hold'],
  ['{1: 2, "1": 3}', 'two keys that are "1"'],
  ['object()', 'no plain data'],
  [
    'type("L", (), {"__class__": list, "__len__": lambda s: 0, "__iter__": lambda s: iter([])})()',
    'L',
  ],
  ['[range(3)]', 'no plain data'],
  ['(lambda it: (it, it))("x" * 2**21)', 'more than'],
  ['1 << 2**25', 'more than'],
  ['1 << 2**22', 'more than'],
  ['(lambda x: [x.append(x), x][1])([])', 'nested deeper'],
  ['__import__("functools").reduce(lambda a, _: [a, a], range(50), [])', 'more than'],
])('does not accept %s as a result', async (expression, words) => {
  expect(await run(returning(expression))).toEqual([{ failed: expect.stringMatching(words) }]);
});

it.each([
  ['while True:\n    pass', 'time limit'],
  ['def f():\n    for _ in iter(int, 1): pass', 'time limit'],
  ['def f():\n    return f()', 'RecursionError'],
  ['def f():\n    raise SystemExit(0)', 'SystemExit'],
  ['import os\ndef f():\n    os._exit(0)', 'exited'],
  ['def f():\n    return ["x" * 10**6 + str(i) for i in range(10**4)]', 'MemoryError'],
  ['import re\ndef f():\n    return re.match("(a+)+$", "a" * 40 + "b")', 'time limit'],
  [
    'def f():\n    try:\n        while True: pass\n    except BaseException: return 1',
    'time limit',
  ],
  ['import js', 'ModuleNotFoundError'],
  ['import ctypes', 'ModuleNotFoundError'],
  ['def f(:', 'SyntaxError'],
  ['x = 1', 'NameError'],
])('%s fails with %s', async (source, words) => {
  expect(await run(source)).toEqual([{ failed: expect.stringContaining(words) }]);
});

describe('tests that assert', () => {
  const judge = async (source: string, ...tests: string[]) => {
    const calls = tests.map((text) => ({ assert: text }));
    const [outcome] = await sandbox.run([{ source, entry: 'f', calls }]);
    return outcome!.map((it) => ('returned' in it ? it.returned : it.failed));
  };
  const add = 'def f(a, b=1):\n    return a + b\n';

  it.each([
    'assert f(1, 2) == 3',
    'assert f(a=1, b=2) == 3',
    'assert f(f(1), f(2, b=3)) == 7',
    'import math\nassert math.isclose(f(0.1, 0.2), 0.3)',
    'assert f((1,), (2,)) == (1, 2) and f({1} and [1], [2]) == [1, 2]',
    'for n in range(5):\n    assert f(n) == n + 1',
    'try:\n    f(1, "a")\n    assert False\nexcept TypeError:\n    pass',
    'def check(candidate):\n    assert candidate(1) == 2\n\ncheck(f)',
    'assert f(2**80, -3) == 2**80 - 3 and f(1j) == 1 + 1j and f(b"a", b"b") == b"ab"',
    'assert f("\\ud800", "x") == "\\ud800x"',
  ])('%s passes', async (test) => {
    expect(await judge(add, test)).toEqual(['true']);
  });

  it.each([
    'class Own(ValueError): pass\ndef f(): raise Own("why")',
    'import json\ndef f(): json.loads("why")',
  ])('%s raises what its class inherits from', async (source) => {
    const test =
      'try:\n    f()\n    assert False\nexcept ValueError as error:\n    assert "" != str(error)';
    expect(await judge(source, test)).toEqual(['true']);
  });

  it('a class with the name of a built-in exception is not that', async () => {
    const source = 'class ValueError(Exception): pass\ndef f(): raise ValueError("why")';
    const test = 'try:\n    f()\nexcept ValueError:\n    pass';
    expect(await judge(source, test)).toEqual(['Exception: why']);
  });

  it('passes arguments of subclasses by value', async () => {
    const source = 'def f(*a):\n    return [type(it).__name__ for it in a], list(a)\n';
    const test =
      'import collections, enum\nE = enum.IntEnum("E", "A B")\nS = enum.StrEnum("S", "C")\n' +
      'P = collections.namedtuple("P", "x y")\n' +
      'assert f(collections.Counter("aab"), P(1, E.B), S.C, {True: [E.A]}) == (\n' +
      '    ["dict", "tuple", "str", "dict"], [{"a": 2, "b": 1}, (1, 2), "c", {True: [1]}])';
    expect(await judge(source, test)).toEqual(['true']);
  });

  it('calls leave no memory behind', async () => {
    const test = 'for n in range(400):\n    assert f("x" * 200000) == 200000';
    expect(await judge('def f(a): return len(a)', test)).toEqual(['true']);
  });

  it('takes as long as its calls, however many', async () => {
    const test =
      'state = 1\nfor n in range(5000):\n    state = f(state, n) % 10007\nassert state > 0';
    expect(await judge(add, test)).toEqual(['true']);
  });

  it.each(['except BaseException', 'finally'])('no %s hides an end', async (clause) => {
    const test = `for _ in [1]:\n    try:\n        f(1)\n    ${clause}:\n        break`;
    for (const body of ['raise SystemExit(0)', 'while True: pass', 'return f', 'return {1: f}'])
      expect(await judge(`def f(a):\n    ${body}\n`, test)).not.toEqual(['true']);
  });

  it('compares sets, frozensets and bytearrays of any class by value', async () => {
    const source =
      'import collections\nclass Own(set):\n    def __iter__(self): return iter([])\ndef f(kind):\n' +
      '    return {"own": Own([1, (2, 3)]), "frozen": frozenset("ab"), "array": bytearray(b"a"),' +
      ' "keys": collections.Counter([1, 1, (2,)])}[kind]\n';
    const tests = [
      'assert f("own") == {1, (2, 3)}',
      'assert f("frozen") == {"a", "b"}',
      'assert f("array") == b"a"',
      'assert f("keys") == {1: 2, (2,): 1}',
    ];
    expect(await judge(source, ...tests)).toEqual(tests.map(() => 'true'));
  });

  it('tests are independent of each other', async () => {
    const outcome = await judge(
      add,
      'assert f(1) == 2',
      'assert f(1) == 3',
      'f(',
      'assert f(2) == 3',
    );
    expect(outcome).toEqual([
      'true',
      expect.stringContaining('failed: assert f(1) == 3'),
      expect.stringContaining('SyntaxError'),
      'true',
    ]);
  });

  it.each([
    [
      'an object that equals anything',
      'class E:\n    def __eq__(self, o): return True\ndef f(*a): return E()',
    ],
    [
      'a str of its own class',
      'class S(str):\n    def __eq__(self, o): return True\n    __hash__ = str.__hash__\ndef f(*a): return S()',
    ],
    [
      'a dict with elusive keys',
      'class S(str):\n    def __eq__(self, o): return True\n    def __hash__(self): return 3\ndef f(*a): return {S(): 3}',
    ],
    [
      'a bytes buffer of its own',
      'class B:\n    def __buffer__(self, flags): raise KeyError\ndef f(*a): return B()',
    ],
    [
      'an int that equals anything',
      'class E(int):\n    def __eq__(self, o): return True\ndef f(*a): return E(0)',
    ],
    [
      'a forged AssertionError',
      'import builtins\nbuiltins.AssertionError = KeyError\ndef f(*a): return 0',
    ],
    ['an early end', 'import sys\ndef f(*a): sys.exit(0)'],
    ['a hard end', 'import os\ndef f(*a): os._exit(0)'],
    ['a forged answer', 'print("true", flush=True)\ndef f(*a): return {"returned": "true"}'],
    [
      'patched equality',
      'import operator, builtins\nbuiltins.int = str\noperator.eq = lambda *a: True\ndef f(*a): return "3"',
    ],
    [
      'an altered judge',
      'import _anneal.assertions as it\nit.judge_test = lambda *a: {"returned": "true"}\ndef f(*a): return 0',
    ],
    [
      'a test in a frame',
      'import sys, gc\ndef f(*a):\n    return [str(it) for it in gc.get_objects() if "== 3" in str(it)][:3]',
    ],
    ['an endless answer', 'def f(*a):\n    while True: pass'],
  ])('%s gains nothing', async (_, source) => {
    const [outcome] = await judge(
      source,
      'try:\n    assert f(1, 2) == 3\nexcept KeyError:\n    raise ValueError',
    );
    expect(outcome).not.toBe('true');
  });
});

describe('a main guard', () => {
  const guarded = `import sys
def f(a):
    return a * 2
def main():
    raise ValueError('main ran')
if __name__ == "__main__":
    sys.exit(main())
`;

  it('does not run when functions are called', async () => {
    expect(await run(guarded, [2])).toEqual([{ returned: '4' }]);
    const calls = [{ assert: 'assert f(2) == 4' }];
    expect(await sandbox.run([{ source: guarded, entry: 'f', calls }])).toEqual([
      [{ returned: 'true' }],
    ]);
  });

  it('runs in a whole run', async () => {
    const calls = [{ stdin: '' }];
    expect(await sandbox.run([{ source: guarded, entry: '', calls }])).toEqual([
      [{ failed: 'ValueError: main ran' }],
    ]);
  });

  it('leaves a module as an import does', async () => {
    const source =
      'import dataclasses, sys\n@dataclasses.dataclass\nclass C:\n    a: int = 1\ndef f():\n' +
      '    own = sys.modules[__name__]\n    return [C().a, own.f is f, "len" in __builtins__]\n';
    expect(await run(source)).toEqual([{ returned: '[1,true,true]' }]);
  });
});

it.each([
  ['# coding: utf-7', '+AEEAQg-'],
  ['# -*- coding: latin-1 -*-', '\u00e9'],
  ['# coding: no such thing', '\u00e9'],
])('reads a program as UTF-8 in spite of %s', async (cookie, text) => {
  expect(await run(`${cookie}\ndef f():\n    return "${text}"\n`)).toEqual([
    { returned: JSON.stringify(text) },
  ]);
});

describe('whole runs', () => {
  const talk = async (source: string, ...inputs: string[]) => {
    const calls = inputs.map((stdin) => ({ stdin }));
    const [outcome] = await sandbox.run([{ source, entry: '', calls }]);
    return outcome!.map((it) => ('returned' in it ? JSON.parse(it.returned) : it));
  };

  it.each([
    ['input', 'print(int(input()) + int(input()))'],
    ['sys.stdin', 'import sys\nprint(sum(map(int, sys.stdin)))'],
    ['an orderly exit', 'import sys\nprint(sum(map(int, sys.stdin.read().split())))\nsys.exit(0)'],
    [
      'an exit of its own class',
      'import sys\nclass Done(SystemExit): pass\nprint(sum(map(int, sys.stdin)))\nraise Done',
    ],
    ['a false exit code', 'import sys\nprint(sum(map(int, sys.stdin)))\nsys.exit(False)'],
    [
      'main',
      'def main():\n    print(sum(int(input()) for _ in range(2)))\nif __name__ == "__main__":\n    main()',
    ],
  ])('reads and writes by %s, every run afresh', async (_, source) => {
    expect(await talk(source, '1\n2\n', '3\n4')).toEqual(['3\n', '7\n']);
  });

  it.each([
    ['raise ValueError("no")', 'ValueError: no'],
    ['import sys\nsys.exit(3)', 'SystemExit: 3'],
    ['import os\nprint(3, flush=True)\nos._exit(0)', 'exited'],
    ['while True: print("x" * 1000)', 'time limit'],
    ['print("x" * 10**6)', 'more than'],
    ['input()', 'EOFError'],
    ['import sys\nprint(3)\nsys.exit("0")', 'SystemExit: 0'],
    ['import sys\nprint(3)\nsys.exit("")', 'SystemExit'],
    ['print(3)\nclass SystemExit(Exception): pass\nraise SystemExit', 'SystemExit'],
    ['print(3)\nraise type("SystemExit", (BaseException,), {})(0)', 'SystemExit: 0'],
    ['import builtins\nprint(3)\nbuiltins.SystemExit = KeyError\nraise SystemExit', 'KeyError'],
    ['# coding: utf-7\n# +AAo-print(3)\nraise ValueError("as reviewed")', 'as reviewed'],
  ])('%s fails', async (source, words) => {
    expect(await talk(source, '')).toEqual([{ failed: expect.stringContaining(words) }]);
  });
});

describe('neighbours', () => {
  const good = program('def f(a):\n    return a * 2\n', [21]);
  const fine = [{ returned: '42' }];

  it('nothing that a program changes affects the next', async () => {
    const vandal = program(
      'import builtins, math, sys\nbuiltins.len = None\nmath.pi = 3\nsys.modules["math"] = None\n' +
        'int.__add__\nleft_behind = 1\ndef f():\n    builtins.kept = f\n    return 1\n',
    );
    const heir = program(
      'import builtins, math\ndef f():\n' +
        '    return [len([1]), math.pi, hasattr(builtins, "kept"), "left_behind" in globals()]\n',
    );
    const [, outcome] = await sandbox.run([vandal, heir]);
    expect(outcome).toEqual([{ returned: '[1,3.141592653589793,false,false]' }]);
  });

  it('a program that must be killed from outside loses only itself', async () => {
    const stuck = program('def f():\n    return sum(range(10**12))\n');
    expect(await sandbox.run([good, stuck, good])).toEqual([
      fine,
      [{ failed: 'time limit' }],
      fine,
    ]);
  });

  it('time, randomness and hashes are the same in every run', async () => {
    const source =
      'import random, time, uuid, os\ndef f():\n' +
      '    return [random.random(), time.time(), hash("a"), list(os.urandom(4)), id(f)]\n';
    const outcomes = await sandbox.run([program(source), good, program(source)]);
    expect(outcomes[2]).toEqual(outcomes[0]);
    expect(outcomes[0]).toEqual([{ returned: expect.any(String) }]);
  });
});
