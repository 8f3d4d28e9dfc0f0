import { expect, it } from 'vitest';
import type { Prompt } from '../../../records/prompts.ts';
import { normalFormsOf } from './index.ts';

const original = 'def f(a, b):\n    """Add."""\n    c = a + b\n    return c\n';

it('is one text for Python programs that differ in layout, comments and local names', async () => {
  const texts = [
    original,
    'def f(x, y):\n  # Sum.\n  total = x+y\n\n  return (total)\n',
    'def f(x, y):\n    total = y + x\n    return total\n',
    'def g(a, b):\n    c = a + b\n    return c\n',
    'def f(a, b:',
    'function f() {}',
  ];
  const languages = ['python', 'python', 'python', 'python', 'python', 'javascript'];
  const prompts = languages.map((language) => ({ language })) as Prompt[];
  const [first, renamed, reordered, other, broken, javascript] = await normalFormsOf(
    prompts,
    texts,
  );
  expect(first).toBeTypeOf('string');
  expect(renamed).toBe(first);
  expect(reordered).not.toBe(first);
  expect(other).not.toBe(first);
  expect(broken).toBeNull();
  expect(javascript).toContain('FunctionDeclaration');
});
