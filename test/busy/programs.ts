// Programs to judge: references of prompts and mutants of them, most of which fail, and some of which
// would run for ever.

import type { Prompt } from '../../src/records/prompts.ts';
import type { SandboxProgram } from '../../src/rewards/sandbox/protocol.ts';
import { toSandboxProgram } from '../../src/rewards/sandbox/verdict.ts';

export type RunLanguage = 'javascript' | 'python';
export interface JudgedProgram {
  name: string;
  prompt: Prompt & { language: RunLanguage };
  program: SandboxProgram;
}

const mutations: Record<string, (source: string, language: RunLanguage) => string> = {
  reference: (source) => source,
  operator: (source) => source.replace(' + ', ' - ').replace(' < ', ' <= '),
  number: (source) => source.replace(/\b\d+\b/, (digits) => `${BigInt(digits) + 1n}`),
  'no return': (source, language) =>
    source.replace(/return\b/, language === 'python' ? '' : 'void'),
  cut: (source) => source.slice(0, Math.floor(source.length * 0.7)),
};
/** What runs until a limit, each limit in its way. */
const hungry: Record<string, Record<RunLanguage, string>> = {
  endless: { javascript: 'for (;;);', python: 'while True: pass' },
  'one long call': {
    javascript: '"a".repeat(1e6).indexOf("a".repeat(5e5) + "b");',
    python: 'sum(range(10 ** 12))',
  },
  backtracking: {
    javascript: '/^(a+)+$/.test("a".repeat(50) + "b");',
    python: 'import re\nre.match("(a+)+$", "a" * 50 + "b")',
  },
  'large copies': {
    javascript: 'const copied = Array(1e5).fill(0); for (;;) copied.slice();',
    python: 'copied = [0] * 10 ** 6\nwhile True: copied[:]',
  },
  'deep calls': {
    javascript: 'const deep = () => deep() + 1; deep();',
    python: 'def deep(): return deep() + 1\ndeep()',
  },
  memory: {
    javascript: 'const kept = []; for (;;) kept.push(Array(1e4).fill(1));',
    python: 'kept = []\nwhile True: kept.append([1] * 10 ** 4)',
  },
};
/** One program in so many is hungry: each costs as much as dozens of others. */
const perHungry = 40;

/** The first `count` programs: every prompt's reference, then every prompt's next mutant, and so on. */
export function programsOf(prompts: readonly Prompt[], count: number): JudgedProgram[] {
  const own = prompts.filter((prompt): prompt is JudgedProgram['prompt'] =>
    ['javascript', 'python'].includes(prompt.language),
  );
  return Array.from({ length: count }, (_, index) => {
    const prompt = own[index % own.length]!;
    const round = Math.floor(index / own.length);
    const reference = prompt.continues ? prompt.prompt + prompt.reference : prompt.reference;
    const [name, source] =
      index % perHungry === perHungry - 1
        ? fed(index, reference, prompt.language)
        : mutated(round, reference, prompt.language);
    return { name: `${prompt.id}: ${name}`, prompt, program: toSandboxProgram(prompt, source) };
  });
}

function mutated(round: number, reference: string, language: RunLanguage): [string, string] {
  const all = Object.entries(mutations);
  const [name, mutate] = all[round % all.length]!;
  return [name, mutate(reference, language)];
}

function fed(index: number, reference: string, language: RunLanguage): [string, string] {
  const all = Object.entries(hungry);
  const [name, statements] = all[Math.floor(index / perHungry) % all.length]!;
  return [name, `${reference}\n${statements[language]}\n`];
}
