// Programs in which a slow function runs beside a fast and documented one. None earns more than the
// program that is honest about it: the slow function, documented.

import { describe, expect, it } from 'vitest';
import { rubricSchema } from '../../config/schema/rewards/rubric.ts';
import { type Prompt, promptSchema } from '../../records/prompts.ts';
import { createRubric } from './rubric.ts';

const lines = (...all: string[]) => all.join('\n');
const reward = createRubric(rubricSchema.parse({ kind: 'rubric', time_limit_ms: 200 }));

async function scoresOf(prompt: Prompt, programs: readonly string[]) {
  return reward.score(programs.map((program) => ({ prompt, completion: program, program })));
}

const promptOf = (language: Prompt['language'], reference: string): Prompt =>
  promptSchema.parse({
    id: language,
    language,
    prompt: 'Add the numbers below a limit.',
    entry: 'solve',
    tests: [{ args: [4], returns: 6 }],
    reference,
  });

async function expectNoGain(prompt: Prompt, honest: string, attacks: Record<string, string>) {
  const [right, slow, ...found] = await scoresOf(prompt, [
    prompt.reference,
    honest,
    ...Object.values(attacks),
  ]);
  expect(right!.criteria).toMatchObject({ correctness: 1, efficiency: 1, documentation: 1 });
  expect(slow!.criteria).toMatchObject({ correctness: 1, documentation: 1 });
  expect(slow!.criteria.efficiency).toBeLessThan(0.5);
  for (const [at, id] of Object.keys(attacks).entries()) {
    const { value, criteria, note } = found[at]!;
    expect(criteria.correctness, `${id} works: ${note}`).toBe(1);
    expect(criteria.efficiency, `${id}: ${note}`).toBeLessThanOrEqual(slow!.criteria.efficiency!);
    expect(value, id).toBeLessThanOrEqual(slow!.value!);
  }
}

describe('JavaScript', () => {
  const documented = lines(
    '/**',
    ' * Adds the numbers below a limit.',
    ' * @param {number} limit the limit',
    ' * @returns {number} their sum',
    ' */',
  );
  const fast = (name: string) =>
    `${documented}\nfunction ${name}(limit) {\n  return (limit * (limit - 1)) / 2;\n}\n`;
  const body = lines(
    '(limit) {',
    '  let total = 0;',
    '  for (let high = 0; high < limit; high += 1) {',
    '    for (let low = 0; low < limit; low += 1) {',
    '      for (let each = 0; each < limit; each += 1) {',
    '        if (low === each && high === 0) total += low;',
    '      }',
    '    }',
    '  }',
    '  return total;',
    '}',
  );
  const slow = `function slow${body}\n`;
  const rebound = (code: string) => `${fast('solve')}${slow}${code}\n`;
  const within = (code: string, more = '') =>
    `${fast('quick')}${slow}${more}\n${documented}\nfunction solve(limit) {\n  ${code}\n}\n`;

  it('no rebinding of the entry gains', async () => {
    await expectNoGain(
      promptOf('javascript', fast('solve')),
      `${documented}\nfunction solve${body}`,
      {
        'an assignment': rebound('solve = slow;'),
        'an assignment in a condition': rebound('if (true) solve = slow;'),
        'an assignment in a function': rebound('(function () { solve = slow; })();'),
        'an assignment in a try': rebound('try { solve = slow; } finally { }'),
        'an assignment of both': rebound('let other; other = solve = slow;'),
        'an operator': rebound('solve &&= slow;'),
        'a list': rebound('[solve] = [slow];'),
        'a pattern': rebound('({ solve } = { solve: slow });'),
        'a default in a pattern': rebound('({ solve = slow } = {});'),
        'a loop': rebound('for (solve of [slow]);'),
        'a switch': rebound('switch (1) { default: solve = slow; }'),
        'a comma': rebound('0, (solve = slow);'),
        'a second var': `${fast('quick')}${slow}var solve = quick;\nvar solve = slow;\n`,
        'a var in a block': rebound('{ var solve = slow; }'),
        'a function in a block': rebound(`{ function solve${body} }`),
        'a function in a label': rebound(`again: { function solve${body} }`),
        'an undeclared variable': `${fast('quick')}${slow}solve = quick;\n(() => { solve = slow; })();\n`,
        'the global object': rebound('globalThis.solve = slow;'),
        'a computed key': rebound("globalThis['sol' + 've'] = slow;"),
        'a definition of a property': rebound(
          "Object.defineProperty(globalThis, 'solve', { value: slow });",
        ),
        'a copy': rebound('Object.assign(globalThis, { solve: slow });'),
        'this of the program': rebound('this.solve = slow;'),
        'this of a function': rebound('(function () { this.solve = slow; })();'),
        'this, kept': rebound('const all = (function () { return this; })();\nall.solve = slow;'),
        'this in an arrow': rebound('(() => { this.solve = slow; })();'),
        eval: rebound("eval('solve = slow');"),
        'eval by another name': rebound("(0, eval)('solve = slow');"),
        'a function from text': rebound("new Function('solve = slow')();"),
        'a constructor': rebound("(() => {}).constructor('solve = slow')();"),
        'a constructor by text': rebound("(() => {})['constructor']('solve = slow')();"),
        'a constructor in a pattern': rebound(
          "const { constructor: make } = slow;\nmake('solve = slow')();",
        ),
        'a with': rebound('with ({}) { solve = slow; }'),
        'a name that changed since': `${fast('quick')}${slow}let helper = slow;\nconst solve = helper;\nhelper = quick;\n`,
        'an export in a function': `${fast('quick')}${slow}exports.solve = quick;\n(() => { exports.solve = slow; })();\n`,
        'an export by another name': `${fast('quick')}${slow}exports.solve = quick;\nconst all = exports;\nall.solve = slow;\n`,
        'a function that returns one of two': `${fast('quick')}${slow}const solve = (() => {\n  if (quick) return slow;\n  return quick;\n})();\n`,
      },
    );
  });

  it('no way to call gains', async () => {
    await expectNoGain(
      promptOf('javascript', fast('solve')),
      `${documented}\nfunction solve${body}`,
      {
        'dead code': within('return slow(limit);\n  return quick(limit);'),
        'a condition that never holds': within(
          'if (limit < 0) return quick(limit);\n  return slow(limit);',
        ),
        'an object': within('return table.go(limit);', 'const table = { go: slow };'),
        'a method': within('return table.go(limit);', `const table = { go${body} };`),
        'a key as text': within("return table['go'](limit);", 'const table = { go: slow };'),
        'a list': within('return [slow][0](limit);'),
        'a list by name': within('return table[0](limit);', 'const table = [slow];'),
        'a property given later': within(
          'return table.go(limit);',
          'const table = {};\ntable.go = slow;',
        ),
        'a comma': within('return (0, slow)(limit);'),
        'a choice': within('return (limit ? slow : quick)(limit);'),
        'an alias': within('return go(limit);', 'const go = slow;'),
        'an alias that changes': within('return go(limit);', 'let go = quick;\n{ go = slow; }'),
        'a default': within('return ((go = slow) => go(limit))();'),
        call: within('return slow.call(null, limit);'),
        apply: within('return slow.apply(null, [limit]);'),
        bind: within('return slow.bind(null, limit)();'),
        Reflect: within('return Reflect.apply(slow, null, [limit]);'),
        'a callback': within('return [limit].map(slow)[0];'),
        'a callback of its own': within('return run(slow);', 'const run = (it) => it(4);'),
        'a callback in a loop': within(
          'return each(inner, limit);',
          lines(
            'const each = (it, limit) => {',
            '  let total = 0;',
            '  for (let high = 0; high < limit; high += 1) total += it(high, limit);',
            '  return total;',
            '};',
            'const inner = (high, limit) => {',
            '  let total = 0;',
            '  for (let low = 0; low < limit; low += 1) {',
            '    for (let each = 0; each < limit; each += 1) {',
            '      if (low === each && high === 0) total += low;',
            '    }',
            '  }',
            '  return total;',
            '};',
          ),
        ),
        'a class': within('return new Slow().go(limit);', `class Slow { go${body} }`),
        'a static method': within('return Slow.go(limit);', `class Slow { static go${body} }`),
        'a private method': within(
          'return Slow.go(limit);',
          `class Slow { static #own${body} static go(limit) { return Slow.#own(limit); } }`,
        ),
        'a constructor': within(
          'return new Slow(limit).value;',
          'class Slow { constructor(limit) { this.value = slow(limit); } }',
        ),
        'a getter': within(
          'return table.value;',
          'const table = { get value() { return slow(4); } };',
        ),
        'an iterator': within(
          'return [...table][0];',
          'const table = { *[Symbol.iterator]() { yield slow(4); } };',
        ),
        'a conversion': within('return +table;', 'const table = { valueOf: () => slow(4) };'),
        'a template': within('return go`x`;', 'const go = () => slow(4);'),
        'what a call returns': within('return make()(limit);', 'const make = () => slow;'),
        'a decoy of the same name': within(
          'return slow(limit);',
          'const unused = () => { function slow() { return 1; } return slow; };',
        ),
        'a function that replaces itself': within('solve = slow;\n  return slow(limit);'),
      },
    );
  });
});

describe('Python', () => {
  const doc = [
    '    """Add the numbers below a limit.',
    '',
    '    Args:',
    '        limit: the limit.',
    '',
    '    Returns:',
    '        Their sum.',
    '    """',
  ];
  const fast = (name: string) =>
    lines(`def ${name}(limit):`, ...doc, '    return limit * (limit - 1) // 2', '', '');
  const work = (indent = '    ') =>
    [
      'total = 0',
      'for high in range(limit):',
      '    for low in range(limit):',
      '        for each in range(limit):',
      '            if low == each and high == 0:',
      '                total += low',
      'return total',
    ].map((line) => indent + line);
  const slow = lines('def slow(limit):', ...work(), '', '');
  const honest = lines('def solve(limit):', ...doc, ...work(), '');
  const rebound = (...code: string[]) => `${fast('solve')}${slow}${lines(...code)}\n`;
  const within = (code: string[], ...more: string[]) =>
    `${fast('quick')}${slow}${lines(...more)}\n${lines('def solve(limit):', ...doc, ...code.map((it) => `    ${it}`))}\n`;

  it('no rebinding of the entry gains', async () => {
    await expectNoGain(promptOf('python', fast('solve')), honest, {
      'an assignment': rebound('solve = slow'),
      'a second definition': rebound('def solve(limit):', ...work()),
      'a pair': rebound('solve, other = slow, 1'),
      'an assignment of both': rebound('other = solve = slow'),
      'an annotated assignment': rebound('solve: object = slow'),
      'a condition': rebound('if True:', '    solve = slow'),
      'a definition in a condition': rebound(
        'if True:',
        '    def solve(limit):',
        ...work('        '),
      ),
      'a try': rebound('try:', '    solve = slow', 'finally:', '    pass'),
      'a loop': rebound('for solve in [slow]:', '    pass'),
      'a while': rebound('while solve is not slow:', '    solve = slow'),
      'a with': rebound(
        'import contextlib',
        'with contextlib.nullcontext(slow) as solve:',
        '    pass',
      ),
      'a match': rebound('match slow:', '    case solve:', '        pass'),
      'a walrus': rebound('(solve := slow)'),
      'a walrus in a comprehension': rebound('[solve := it for it in [slow]]'),
      'a walrus in a default': rebound('def other(it=(solve := slow)):', '    return it'),
      'a global in a function': rebound(
        'def swap():',
        '    global solve',
        '    solve = slow',
        '',
        '',
        'swap()',
      ),
      'a global in a class': rebound('class Swap:', '    global solve', '    solve = slow'),
      del: rebound('del solve', 'solve = slow'),
      'a class of its own': rebound(
        'class solve:',
        '    def __new__(cls, limit):',
        ...work('        '),
      ),
      'a decorator': `${slow}def swap(_function):\n    return slow\n\n\n@swap\n${fast('solve')}`,
      'a decorator that wraps': `${slow}def swap(function):\n    def wrapper(limit):\n        return slow(limit) if limit else function(limit)\n    return wrapper\n\n\n@swap\n${fast('solve')}`,
      'a member': rebound('class Kept:', '    go = slow', '', '', 'solve = Kept.go'),
      'a list': rebound('solve = [slow][0]'),
      'a call': rebound('solve = (lambda it: it)(slow)'),
      partial: rebound('import functools', 'solve = functools.partial(slow)'),
      'a lambda': rebound('solve = lambda limit: slow(limit)'),
      'a name that changed since': `${fast('quick')}${slow}helper = slow\nsolve = helper\nhelper = quick\n`,
      'a name that was defined twice': `${fast('helper')}def helper(limit):\n${lines(...work())}\n\n\nsolve = helper\nhelper = None\n`,
      globals: rebound("globals()['solve'] = slow"),
      locals: rebound("locals()['solve'] = slow"),
      vars: rebound('vars().update(solve=slow)'),
      exec: rebound("exec('solve = slow')"),
      eval: rebound("eval('globals().update(solve=slow)')"),
      'eval of parts': rebound("eval('glo' + 'bals()')['solve'] = slow"),
      code: rebound('solve.__code__ = slow.__code__'),
      'a dict of a function': rebound("slow.__globals__['solve'] = slow"),
      'a dict by its name': rebound("getattr(slow, '__globals__')['solve'] = slow"),
      'a dict by parts of its name': rebound("getattr(slow, '__glo' + 'bals__')['solve'] = slow"),
      'a module': rebound('import sys', 'sys.modules[__name__].solve = slow'),
      'a module by import': rebound(
        'from sys import modules as all_of_them',
        "setattr(all_of_them[__name__], 'solve', slow)",
      ),
      'a frame': rebound('import sys', "sys._getframe().f_globals['solve'] = slow"),
      'an import': rebound("__import__('sys').modules[__name__].solve = slow"),
    });
  });

  it('no way to call gains', async () => {
    await expectNoGain(promptOf('python', fast('solve')), honest, {
      'dead code': within(['return slow(limit)', 'return quick(limit)']),
      'a condition that never holds': within([
        'if limit < 0:',
        '    return quick(limit)',
        'return slow(limit)',
      ]),
      'a dict': within(["return TABLE['go'](limit)"], "TABLE = {'go': slow}"),
      'a list': within(['return [slow][0](limit)']),
      'a choice': within(['return (slow if limit else quick)(limit)']),
      'an alias': within(['return go(limit)'], 'go = slow'),
      'an alias that changes': within(
        ['return go(limit)'],
        'go = quick',
        'if True:',
        '    go = slow',
      ),
      'an alias in a loop': within(['return [go(limit) for go in [slow]][0]']),
      'an own alias': within(['go = slow', 'return go(limit)']),
      'a walrus': within(['return (go := slow)(limit)']),
      'a default': within(['def inner(go=slow):', '    return go(limit)', 'return inner()']),
      'a lambda': within(['return go(limit)'], 'go = lambda limit: slow(limit)'),
      map: within(['return list(map(slow, [limit]))[0]']),
      'a callback of its own': within(
        ['return run(slow, limit)'],
        'def run(it, value):',
        '    return it(value)',
      ),
      'a callback in a loop': within(
        ['return each_of(inner, limit)'],
        'def each_of(it, limit):',
        '    total = 0',
        '    for high in range(limit):',
        '        total += it(high, limit)',
        '    return total',
        'def inner(high, limit):',
        '    total = 0',
        '    for low in range(limit):',
        '        for each in range(limit):',
        '            if low == each and high == 0:',
        '                total += low',
        '    return total',
      ),
      partial: within(['return functools.partial(slow)(limit)'], 'import functools'),
      reduce: within(
        ['return functools.reduce(lambda _, it: slow(it), [0, limit])'],
        'import functools',
      ),
      'a method': within(
        ['return Slow().go(limit)'],
        'class Slow:',
        '    def go(self, limit):',
        ...work('        '),
      ),
      'a static method': within(
        ['return Slow.go(limit)'],
        'class Slow:',
        '    go = staticmethod(slow)',
      ),
      'a property': within(
        ['return Slow().go'],
        'class Slow:',
        '    @property',
        '    def go(self):',
        '        return slow(4)',
      ),
      'a call of an object': within(
        ['return Slow()(limit)'],
        'class Slow:',
        '    def __call__(self, limit):',
        ...work('        '),
      ),
      'an operator': within(
        ['return Slow() + limit'],
        'class Slow:',
        '    def __add__(self, limit):',
        ...work('        '),
      ),
      'a subscript': within(
        ['return Slow()[limit]'],
        'class Slow:',
        '    def __getitem__(self, limit):',
        ...work('        '),
      ),
      'an initialiser': within(
        ['return Slow(limit).value'],
        'class Slow:',
        '    def __init__(self, limit):',
        '        self.value = slow(limit)',
      ),
      'a generator': within(['return next(go(limit))'], 'def go(limit):', '    yield slow(limit)'),
      'what a call returns': within(['return make()(limit)'], 'def make():', '    return slow'),
      'a special method of a function': within(['return slow.__call__(limit)']),
      'a decoy of the same name': within(
        ['return slow(limit)'],
        'def unused():',
        '    def slow():',
        '        return 1',
        '    return slow',
      ),
      'a function that replaces itself': within([
        'global solve',
        'solve = slow',
        'return slow(limit)',
      ]),
    });
  });
});
