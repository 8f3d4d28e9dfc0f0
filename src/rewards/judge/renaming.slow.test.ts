// What a judge is shown under `names: rename` is the same program: it parses and does with its tests
// what the original does. ANNEAL_PROMPTS names more prompt files, as `anneal data import` writes them.

import { describe, expect, it } from 'vitest';
import { type Prompt, promptSchema } from '../../records/prompts.ts';
import { bareFormat, programOf } from '../programs/program-of.ts';
import { readPrompts } from '../prompts.ts';
import { sharedSandbox } from '../sandbox/sandbox.ts';
import { judgeOutcome, toSandboxProgram, type Verdict } from '../sandbox/verdict.ts';
import { normalizeProgram } from './normalize.ts';

const limits = { timeLimitMs: 2000, memoryLimitMb: 64 };
/** Cutting texts changes what a program does, so none is cut here. */
const how = { comments: 'strip', names: 'rename', max_string_length: 1e6 } as const;

/** The verdict on each program and on what is shown of it. */
async function compare(prompts: readonly Prompt[]) {
  const sources = prompts.map((prompt) => programOf(prompt, prompt.reference, bareFormat));
  const shown: string[] = [];
  for (const [at, prompt] of prompts.entries())
    shown.push((await normalizeProgram(sources[at]!, prompt, how)) ?? 'nothing is shown');
  const [before, after] = await Promise.all([sources, shown].map((it) => verdictsOf(prompts, it)));
  return prompts.map(({ id }, at) => ({
    id,
    shown: shown[at]!,
    before: before![at]!,
    after: after![at]!,
  }));
}

async function verdictsOf(prompts: readonly Prompt[], sources: string[]): Promise<Verdict[]> {
  const run = async (language: 'python' | 'javascript', at: number) => {
    const program = toSandboxProgram(prompts[at]!, sources[at]!);
    const [outcome] = await sharedSandbox(limits, language).run([program]);
    return judgeOutcome(prompts[at]!.tests, outcome!, language);
  };
  return Promise.all(
    prompts.map(({ language }, at) => run(language === 'python' ? 'python' : 'javascript', at)),
  );
}

const given = process.env.ANNEAL_PROMPTS?.split(',') ?? [];
const files = ['data/train.jsonl', 'data/held-out.jsonl', 'examples/python-prompts.jsonl'];

it.each([...files, ...given])(
  'every reference of %s passes as it is shown',
  async (file) => {
    const prompts = await readPrompts(file);
    const differ = (await compare(prompts)).filter(
      ({ before, after }) => after.passed !== before.passed,
    );
    expect(differ).toEqual([]);
  },
  1_800_000,
);

/** Programs full of names; each is called as `f(3)`. */
const javascript: Record<string, string> = {
  'a class that is made and extended': `
    class Stack { #items = []; static made = 0; size = 0;
      constructor() { Stack.made++; }
      push(item) { this.#items.push(item); this.size = this.#items.length; return this; }
      get last() { return this.#items.at(-1); } }
    const Deque = class Inner extends Stack { unshift() { return new Inner(); } push(item) { return super.push(item * 2); } };
    function f(n) { return [new Stack().push(n).last, new Deque().unshift().push(n).last, Stack.made]; }`,
  'functions in blocks': `
    function f(n) { if (n) { function inner() { return n; } } return inner() + typeof missing.length; }
    var missing = [];`,
  'labels, loops and captures': `
    function f(n) { let sum = 0; const all = [];
      outer: for (let i = 0; i < n; i++) { all.push(() => i); for (;;) { if (i % 2) continue outer; sum += i; break; } }
      return [sum, ...all.map((each) => each())]; }`,
  'shorthand and destructuring': `
    const options = ({ first = 1, second: { deep, ...others } = {}, ...rest }) => ({ first, deep, others, rest });
    function f(n) { const first = n; const [a, , b = first] = [1, 2]; ({ first: options.cache } = { first });
      return Object.values(options({ first, second: { deep: a, b } })).length + options.cache; }`,
  'names that are in the language': `
    const push = (list, value) => { list.push(value); return list; };
    function f(n) { const length = n, name = 'a', map = new Map([[name, length]]);
      return push([...map.keys()].map((key) => key.length), { length, map: map.size }.length); }`,
  'names as text': `
    const actions = { double: (n) => n * 2, half(n) { return n / 2; } };
    function f(n) { return ['double', 'half'].map((action) => actions[action](n)); }`,
  'names for eval': `
    const helper = (n) => n + 1;
    function f(n) { return eval('helper(n)'); }`,
  'new names that are taken': `
    const v0 = 1, v1 = 2; function f(v2) { const o = { v0, v3: v1 }; return o.v0 + o['v3'] + v2; }`,
  'undeclared variables': `
    function f(n) { counted = n; return typeof window + counted; }`,
  'numbers of every kind': `
    function f(n) { const o = { 0x10: 1, 1_0: 2 }; return [o[16], o[10], 0b11, 0o17, (1_000).toFixed(1), 0x10 .toString(), 1e3, .5, Number(10n ** 3n)]; }`,
  'statements that are only text': `
    'use strict'
    'Judge'
    function f(n) { 'of'; \`words\`; if (n) 'x'; let a = n
      'y'
      ;[a] = [a + 1]; return [a, (function () { return this === undefined; })()]; }`,
  'groups of a regular expression': `
    function f(n) { const { groups } = /(?<year>\\d)(?<rest>.)/.exec(n + 'ab'); return groups.year + groups.rest; }`,
  'getters, symbols and iterators': `
    class Range { constructor(end) { this.end = end; } *[Symbol.iterator]() { for (let at = 0; at < this.end; at++) yield at; } static from(end) { return new this(end); } }
    function f(n) { return [...Range.from(n)]; }`,
  'new.target and arguments': `
    function Point(x) { if (!new.target) return new Point(x); this.x = arguments[0]; }
    Point.prototype.twice = function () { return this.x * 2; };
    function f(n) { return Point(n).twice(); }`,
};
const python: Record<string, string> = {
  'a class with everything': `
import dataclasses, enum
from collections import namedtuple, defaultdict as table_of
Pair = namedtuple('Pair', 'first second')
class Color(enum.Enum):
    RED = 1
    BLUE = 2
@dataclasses.dataclass(order=True)
class Item:
    """Judge."""
    weight: int
    label: 'a text' = 'x'
    made: dataclasses.InitVar[int] = 0
    def __post_init__(self, made):
        self.weight += made
class Base:
    __slots__ = ('kept', '__own')
    total_made = 0
    def __init__(self, kept, *, own=1):
        self.kept = kept; self.__own = own; type(self).total_made += 1
    @property
    def own_value(self): return self.__own
    @classmethod
    def of(cls, **values): return cls(**values)
class Derived(Base):
    __slots__ = ()
    def __own(self): return 5
    def both(self): return self.own_value + self.__own() + self._Base__own
def f(n):
    table = table_of(list); table['a'].append(n)
    it = Derived.of(kept=n, own=2)
    return [Pair(1, second=n).second, Color['RED'].value, Color.BLUE.name, Item(weight=1, made=2).weight,
            Item(1) < Item(weight=2), it.both(), Base.total_made, table['a']]`,
  scopes: `
counter = 0
def f(n):
    seen = []
    def inner(step=1):
        nonlocal n
        global counter
        n += step; counter += 1
        seen.append(lambda at=n: at)
        return n
    inner(); inner(step=2)
    total = sum(item for item in range(n) if (last := item) >= 0)
    return [n, counter, last, total, [each() for each in seen]]`,
  'parameters by text': `
def area(width, height=2): return width * height
def f(n): return area(**{'width': n}) + area(*[n], height=3) + f'{n=}'.count('n')`,
  'names that are in the library': `
import os.path as path, re, functools
def index(values, key=None, count=1): return values.index(key) + count
def f(n):
    sorted_values = sorted([n, 1], key=lambda key: -key)
    find = re.match(r'(?P<year>\\d)', str(n))
    cached = functools.lru_cache(maxsize=None)(index)
    return [index(sorted_values, key=n), find['year'], find.group('year'), path.basename('a/b'), cached((n,), n)]`,
  'names as text': `
def helper(n): return n + 1
class Box: pass
def f(n):
    box = Box(); setattr(box, 'value_of', n); box.other = 1
    return [globals()['helper'](n), eval('helper(n)'), box.value_of, getattr(box, 'other'), '{n}'.format(**locals())]`,
  patterns: `
class Point:
    __match_args__ = ('left', 'right')
    def __init__(self, left, right): self.left, self.right = left, right
def kind(value):
    match value:
        case Point(left=0): return 'zero'
        case Point(a, b) if a == b: return 'same'
        case {'k': found, **others}: return [found, others]
        case [first, *rest] as whole: return [first, rest, len(whole)]
        case str() | int() as plain: return plain
        case _: return None
def f(n): return [kind(it) for it in (Point(0, 1), Point(n, n), {'k': 1, 'l': 2}, [1, 2], n, None)]`,
  'exceptions, with and decorators': `
import contextlib
class OwnError(ValueError):
    def __init__(self, code): super().__init__(code); self.code = code
@contextlib.contextmanager
def opened(log):
    log.append('in')
    try: yield log
    finally: log.append('out')
def twice(function):
    def wrapper(*values, **named): return function(*values, **named) * 2
    return wrapper
@twice
def f(n):
    log = []
    try:
        with opened(log) as inner: raise OwnError(n)
    except OwnError as error: log.append(error.code)
    else: pass
    return log`,
  'imports that fail, and stars': `
from math import *
try: import no_such_module as missing
except ImportError: missing = None
try: from math import no_such_name
except ImportError: no_such_name = 2
def f(n):
    from fractions import Fraction as part
    return [floor(pi), missing, no_such_name, part(n, 2).numerator]`,
  'annotations, types and templates': `
from typing import TypeVar, NamedTuple
T = TypeVar('T')
type Listed[E] = list[E]
class Row(NamedTuple):
    name: str
    size: int = 3
def first[X](values: 'Listed[X]', other: T = None) -> X:
    found: X
    found = values[0]
    local: int
    return found
def f(n): return [first([n]), Row('a').size, t'{n}!'.strings[1], f'{n!r:>{n}}']`,
  'statements that are only text': `
"""Judge."""
def f(n):
    "words"; 'more'
    if n: 'x'
    else: 12
    try: b'y'
    finally: 'z'
    class Empty: 'nothing'
    ...
    return n`,
};

describe('a program of many names does the same as it is shown', () => {
  const promptOf = (language: Prompt['language'], id: string, reference: string): Prompt =>
    promptSchema.parse({
      id,
      language,
      prompt: 'Do it.',
      entry: 'f',
      tests: [{ args: [3], returns: null }],
      reference,
    });
  it.each([
    ['javascript', javascript],
    ['python', python],
  ] as const)(
    '%s',
    async (language, programs) => {
      const prompts = Object.entries(programs).map(([id, it]) => promptOf(language, id, it.trim()));
      for (const { id, shown, before, after } of await compare(prompts)) {
        expect(before.failure, `${id}: runs`).toContain('got ');
        expect(after.failure, `${id}:\n${shown}`).toBe(before.failure);
      }
    },
    300_000,
  );
});
