import { expect, it } from 'vitest';
import { resolveInput } from '../../config/paths.ts';
import { type Prompt, promptSchema } from '../../records/prompts.ts';
import { readPrompts } from '../prompts.ts';
import { programOf } from './program-of.ts';

const languages = ['javascript', 'typescript', 'python'] as const;
function prompt(language: Prompt['language'], changes: object = {}): Prompt {
  const fields = { id: 'a', prompt: 'Write f.\n', entry: 'f', reference: 'f' };
  const tests = [{ args: [], returns: 1 }];
  return promptSchema.parse({ ...fields, tests, language, ...changes });
}
const python = prompt('python');
const code = 'def f():\n    return 1\n';
const lines = (...all: string[]) => all.join('\n');

it.each([
  ['a fence with prose around it', `Sure, here it is:\n\n\`\`\`python\n${code}\`\`\`\nIt's 1.\n`],
  ['a fence alone', `\`\`\`python\n${code}\`\`\``],
  ['every alias and case', `\`\`\`Py title="a.py"\n${code}\`\`\``],
  ['tildes', `It's:\n~~~python3\n${code}~~~`],
  ['a long fence with a shorter one in it', `\`\`\`\`python\n${code}\`\`\`\`\``],
  ['the last of its language', `\`\`\`python\ndef g(): ...\n\`\`\`\nor\n\`\`\`py\n${code}\`\`\`\n`],
  [
    'its language before a later one of another',
    `\`\`\`python\n${code}\`\`\`\nRun it:\n\`\`\`sh\npython f.py\n\`\`\`\n`,
  ],
  ['the last of no language', `\`\`\`\ndef g(): ...\n\`\`\`\nor\n\`\`\`\n${code}\`\`\`\n`],
  ['one that is cut off', `It's:\n\`\`\`python\n${code}`],
  ['a complete one before one that is cut off', `\`\`\`\n${code}\`\`\`\nor\n\`\`\`python\ndef g`],
  [
    'one in a list',
    `1. First:\n   \`\`\`python\n   def f():\n       return 1\n   \`\`\`\n2. Done.`,
  ],
  [
    'the last that defines the entry',
    `\`\`\`py\ndef f(): ...\n\`\`\`\nor\n\`\`\`py\n${code}\`\`\`\nTry:\n\`\`\`py\nprint(f())\n\`\`\`\n`,
  ],
  ['what a lone fence closes', `${code}\`\`\`\n`],
  ['what a fence closes before prose', `${code}\`\`\`\n\nThis function returns 1.\n`],
  [
    'what a fence closes before other blocks',
    `${code}\`\`\`\nIt's used so:\n\`\`\`python\nprint(f())\n\`\`\`\n`,
  ],
  [
    'one without label that defines the entry',
    `\`\`\`\n${code}\`\`\`\nTry:\n\`\`\`python\nprint(f())\n\`\`\`\n`,
  ],
  ['the one with text', `\`\`\`python\n${code}\`\`\`\n\`\`\`python\n\n\`\`\`\n`],
  ['Windows line ends', `It:\r\n\`\`\`python\r\n${code}\`\`\`\r\n`],
])('takes %s', (_, answer) => {
  expect(programOf(python, answer)).toBe(code);
});

it('leaves fences in an indented docstring of a fenced program', () => {
  const documented = lines(
    'def f():',
    '    """One.',
    '',
    '    ```',
    '    f()',
    '    ```',
    '    """',
  );
  expect(programOf(python, `Here:\n\`\`\`python\n${documented}\n\`\`\`\n`)).toBe(`${documented}\n`);
});

const inText: Record<Prompt['language'], string[]> = {
  javascript: [
    "/*\n```js\nf();\n```\n*/\nconst f = () => `it's\n~~~\n`;\n",
    'const quote = /[`\'"]/;\n/**\n```\n */\nfunction f() { return quote; }\n',
  ],
  typescript: [
    '/*\n```ts\nf<number>(1);\n```\n*/\nconst f = <T,>(x: T): T[] => [x as T];\n',
    'interface A { a?: string }\n/*\n~~~\n*/\nfunction f(a: A): string { return a.a! + `\n~~~\n`; }\n',
  ],
  python: [
    '"""\n```python\nf()\n```\n"""\n# don\'t\ndef f():\n    return \'"\' + r\'\\\'\' + "\\"\\\n```\\\n"\n',
    "text = f'''\\'''\n~~~\n\"\"\"\n~~~\n'''\ndef f(): return text['a'] + \"'\"\n",
  ],
};

it.each(languages)('leaves a bare program in %s whose strings and comments have fences', (it) => {
  for (const program of inText[it]) {
    expect(programOf(prompt(it), program)).toBe(program);
    const answer = `It's this:\n\`\`\`\`\n${program}\`\`\`\`\nDone.`;
    expect(programOf(prompt(it), answer)).toBe(program);
  }
});

it.each([
  'def f(): return 1\n',
  'Use `f` or ``f``: ```f```.',
  '',
  '```python\n```',
  'Here it is:\n```python',
  '~~~\nf()',
])('leaves %j, which has no block', (answer) => {
  expect(programOf(python, answer)).toBe(answer);
});

it('leaves every reference of the data', async () => {
  for (const file of ['data/train.jsonl', 'data/held-out.jsonl', 'examples/python-prompts.jsonl'])
    for (const one of await readPrompts(resolveInput(file)))
      expect(programOf({ ...one, continues: false }, one.reference)).toBe(one.reference);
});

it('leaves the completion if the setting is off', () => {
  const answer = `\`\`\`python\n${code}\`\`\``;
  expect(programOf(python, answer, { kind: 'plain', fences: false })).toBe(answer);
  expect(programOf(python, answer, { kind: 'chat', fences: false, prefill: '' })).toBe(answer);
});

it.each([
  ['a prefilled fence', { kind: 'chat', prefill: '```python\n' }, python],
  ['a prefilled start', { kind: 'chat', prefill: 'It is:\n~~~~\n' }, python],
  ['a fence in a plain prompt', { kind: 'plain' }, prompt('python', { prompt: 'f?\n```py\n' })],
] as const)('begins inside of %s', (_, format, asked) => {
  const how = { ...format, fences: true } as Parameters<typeof programOf>[2];
  const close = format.kind === 'chat' ? format.prefill.match(/[`~]+/)![0] : '```';
  expect(programOf(asked, code, how)).toBe(code);
  expect(programOf(asked, `${code}${close}\nIt's 1.`, how)).toBe(code);
  const twice = `def g(): ...\n${close}\nBetter:\n\`\`\`python\n${code}\`\`\`\n`;
  expect(programOf(asked, twice, how)).toBe(code);
});

it('completes a program that the text before begins in its fence', () => {
  const begun = prompt('python', { prompt: 'Complete:\n```python\ndef f():\n', continues: true });
  expect(programOf(begun, '    return 1\n```\n')).toBe(code);
  const prefill = '```python\ndef f():\n';
  expect(programOf(python, '    return 1\n', { kind: 'chat', fences: true, prefill })).toBe(code);
});

it('is not taken from a block that the prompt closes', () => {
  const shown = prompt('python', { prompt: 'Like this:\n```python\ndef g(): ...\n```\nNow f.\n' });
  expect(programOf(shown, code)).toBe(code);
});

it('continues the prompt with a fenced rest, or replaces its definition', () => {
  const stub = 'import math\n\ndef f():\n    """One."""\n';
  const asked = prompt('python', { prompt: stub, continues: true });
  expect(programOf(asked, '    return 1\n')).toBe(`${stub}    return 1\n`);
  expect(programOf(asked, '```python\n    return 1\n```')).toBe(`${stub}    return 1\n`);
  expect(programOf(asked, "    return 1\n```\nIt's 1.")).toBe(`${stub}    return 1\n`);
  expect(programOf(asked, `Here:\n\`\`\`python\n${code}\`\`\``)).toBe(`import math\n\n${code}`);
  const script = prompt('javascript', { prompt: '// One.\nconst f = () => {\n', continues: true });
  expect(programOf(script, '  return 1;\n}\n')).toBe(
    '// One.\nconst f = () => {\n  return 1;\n}\n',
  );
  const whole = 'function f() { return 1; }\n';
  expect(programOf(script, `\`\`\`js\nexport ${whole}\`\`\``)).toMatch(/^\/\/ One.\n *function f/);
  expect(programOf(script, `\`\`\`js\n${whole}\`\`\``)).toBe(`// One.\n${whole}`);
});

it('reads long texts of fences, quotes and comments', () => {
  const inText = ['/*\n```\n*/\n', '"""\n```\n"""\n'];
  for (const piece of ['`', '```\n', '\\"""', "'", '```x`\n', "# '\n```\n", ...inText])
    for (const it of languages) {
      const text = piece.repeat(50_000);
      expect(text).toContain(programOf(prompt(it), text));
    }
});
