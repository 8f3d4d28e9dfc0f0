import { expect, it } from 'vitest';
import { parseProgram } from '../programs/javascript.ts';
import { type Finding, penalties } from './penalties.ts';
import { findings, judgeQuality } from './quality.ts';

function judge(source: string) {
  const program = parseProgram(source, 'f');
  if ('failed' in program) throw new Error(program.failed);
  return judgeQuality(program);
}

it.each([
  'function f(values) { return values.map((value) => value + 2); }',
  'const f = (count, text) => text.repeat(count);',
  `function f(list) {
  let total = 0;
  for (const value of list) {
    if (value === 0) continue;
    total += value;
  }
  return total;
}`,
  `function f(items) {
  const seen = new Set();
  for (let i = 1; i < items.length; i += 2) seen.add(items[i]);
  return [...seen];
}`,
  `function f(items, order = 'up') {
  const sorted = [...items].sort((a, b) => a - b);
  return order === 'up' ? sorted : sorted.reverse();
}`,
  'function f(text, { limit = 3, ...rest }) { return { text: text.slice(0, limit), ...rest }; }',
  'function f(n) { return n <= 1 ? 1 : n * f(n - 1); }',
  `function f(value) {
  if (value == null) return null;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}`,
  'function f(kind) { switch (kind) { case "a": return 1; default: return 2; } }',
  'function f(items) { return items.filter((_, index) => index % 2 === 0); }',
  'function f(queue) { while (true) { const next = queue.pop(); if (!next) return next; } }',
  'const scale = 2;\nconst double = (value) => value * scale;\nfunction f(value) { return double(value); }',
])('nothing to object to: %s', (source) => {
  expect(judge(source)).toEqual({ value: 1, objections: [] });
});

/** For each objection, programs that have only that one. */
const cases: Record<string, string[]> = {
  'trivial body': ['const f = (value) => value;', 'function f() { return 0; }'],
  'undeclared name': [
    'function f(list) { total = list.length + 1; return list; }',
    'function f(list) { return list.map(double); }',
    'function f(list) { return process.exit(list); }',
  ],
  'unused parameter': [
    'function f(list, size) { return list.length + 1; }',
    'function f(list) { return list.map((item, index) => item + 1); }',
  ],
  'missing return': [
    'function f(value) { if (value > 1) return value; }',
    'function f(value) { value.push(1); }',
    'function f(value) { if (value) return; return value + 1; }',
    'function f(list) { for (const item of list) { return item; } }',
  ],
  'name declared twice': [
    'function f(value) { return value; }\nfunction f(value) { return value + 1; }',
  ],
  'dynamic code': [
    'function f(text) { return eval(text); }',
    'const f = (text) => new Function(text)();',
    'function f() { return arguments.length; }',
  ],
  'unreachable code': [
    'function f(value) { return value + 1; value.push(2); }',
    'function f(value) { for (;;) { break; value.pop(); } return value + 1; }',
    'function f(value) { if (value) { return 1; } throw value; value.pop(); }',
  ],
  'same on both sides': [
    'function f(value) { return value - value; }',
    'function f(value) { return value > 1 ? value + 1 : value + 1; }',
    'function f(value, other) { return value && value ? other + 1 : 2; }',
  ],
  'statement without effect': [
    'function f(value) { value + 1; return value + 2; }',
    "function f(value) { if (value) return 1; 'low'; return 2; }",
  ],
  'unused variable': [
    'function f(value) { const size = 1; return value + 2; }',
    'const help = () => 1;\nfunction f(value) { return value + 2; }',
  ],
  'stray statement': ['function f(value) { return value + 1; }\nf(2);'],
  'logging left behind': [
    'function f(value) { console.log(value); return value + 1; }',
    'function f(value) { debugger; return value + 1; }',
  ],
  'deep nesting': [
    'function f(a1, b1) { for (const item of a1) { if (item) { for (const other of b1) { if (other) { b1.pop(); } } } } return b1; }',
  ],
  var: ['function f(value) { var next = value + 1; next++; return next; }'],
  'loose comparison': ['function f(value) { return value == 1; }'],
  'single-letter name': [
    'function f(a) { return a + 1; }',
    'function f(list) { const r = list.pop(); return r + 1; }',
    'function f(list) { for (const v of list) v.pop(); return list.length; }',
  ],
  'shadowed name': [
    'function f(list) { return list.map((list) => list + 1); }',
    'function f(list) { for (const item of list) { for (const item of list) { item.pop(); } item.pop(); } return list.length; }',
  ],
  'empty block': [
    'function f(value) { if (value > 1) {} return value + 1; }',
    'function f(value) { return value + 1;; }',
  ],
  'long function': [`function f(list) {\n${'  list.pop();\n'.repeat(35)}  return list.length;\n}`],
  'needless else': ['function f(value) { if (value > 1) { return 1; } else { return 2; } }'],
  'redundant boolean': [
    'function f(value) { return value > 1 ? true : false; }',
    'function f(value) { return value.done === true; }',
    'function f(value) { if (value > 1) return true; return false; }',
    'function f(value) { if (value > 1) { return false; } return true; }',
  ],
  'let for a constant': ['function f(value) { let next = value + 1; return next * 2; }'],
  'parameter reassigned': ['function f(value) { value += 1; return value * 2; }'],
  'counted walk': [
    'function f(list) { let sum = 0; for (let i = 0; i < list.length; i++) { sum += list[i]; } return sum; }',
    'function f(box) { let sum = 0; for (let i = 0; i < box.items.length; i++) sum += box.items[i]; return sum; }',
  ],
};

/** These come from the compiler; typescript.test.ts has their cases. */
const ofTypes = ['type error', 'unchecked type'];

it('has a case for every objection', () => {
  const names = Object.keys(findings);
  expect(Object.keys(cases)).toEqual(names.filter((name) => !ofTypes.includes(name)));
});

it.each(
  Object.entries(cases).flatMap(([name, sources]) => sources.map((source) => [name, source])),
)('objects to a %s: %s', (name, source) => {
  const { each } = penalties[name as Finding];
  const { value, objections: found } = judge(source);
  expect(found).toEqual([name]);
  expect(value).toBeCloseTo(1 - each, 10);
});

it('a kind of objection costs no more than its limit', () => {
  const many = (count: number) => {
    const lines = Array.from({ length: count }, (_, i) => `var next${i} = value; next${i}++;`);
    return judge(`function f(value) { ${lines.join(' ')} return value + 1; }`).value;
  };
  expect(many(2)).toBeCloseTo(0.7, 10);
  expect(many(9)).toBeCloseTo(0.7, 10);
});

it('a mediocre program loses clearly, and quality is never below 0', () => {
  const mediocre = `function f(a) {
  var r = 0;
  for (var i = 0; i < a.length; i++) {
    if (a[i] == 2) { r = r + 1; } else { r = r; }
  }
  return r;
}`;
  expect(judge(mediocre).value).toBeLessThan(0.4);
  expect(judge('function f(a, b) { x = 1; y = 2; 3; 4; return 5; var z; 6; }').value).toBe(0);
});
