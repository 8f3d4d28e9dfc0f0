// Converts prompt files of other projects: HumanEval (arXiv 2107.03374) and MBPP (arXiv 2108.07732)
// in the JSONL shapes in which they are published, and translations of them in the same shapes,
// such as HumanEval-X (arXiv 2303.17568), whose tests are a source text with assertions.

import { z } from 'zod';
import { type Prompt, promptSchema } from '../records/prompts.ts';
import { definitionsIn } from './programs/definitions.ts';
import { readPython } from './programs/python.ts';
import { repeatedIds } from './prompts.ts';
import { type BadRow, explained, type NumberedRow, type SortedRows, sortRows } from './rows.ts';

export type PromptFormat = 'humaneval' | 'mbpp';

const humanEvalSchema = z.object({
  task_id: z.string().min(1),
  prompt: z.string().min(1),
  /** Missing in translations: the entry is then what the prompt defines last. */
  entry_point: z.string().min(1).optional(),
  canonical_solution: z.string().min(1),
  test: z.string().min(1),
});
/** The full set calls the task `text`, the sanitized one `prompt`; their set-up differs too. */
const mbppSchema = z
  .object({
    task_id: z.union([z.number(), z.string()]),
    text: z.string().optional(),
    prompt: z.string().optional(),
    code: z.string().min(1),
    test_list: z.array(z.string()).min(1),
    test_setup_code: z.string().default(''),
    test_imports: z.array(z.string()).default([]),
  })
  .refine(({ text, prompt }) => text ?? prompt, 'expected the task as `text` or `prompt`');

type Language = Prompt['language'];
type HumanEval = z.output<typeof humanEvalSchema>;
type Mbpp = z.output<typeof mbppSchema>;
/** The fields of a prompt, or what is wrong with the row. */
type Converted = object | string;

const limits = { timeLimitMs: 2000, memoryLimitMb: 64 };

/**
 * Read prompts from a file of another project.
 * @returns the prompts with their lines, and the rows that are not of the format, in order
 * @throws AnnealError InvalidData if the file cannot be read or has no row
 */
export async function importPrompts(
  path: string,
  format: PromptFormat,
  language: Language,
): Promise<SortedRows<Prompt>> {
  const { rows, bad } =
    format === 'mbpp' ? await readMbpp(path, language) : await readHumanEval(path, language);
  const checked = rows.map(({ row, line }) => toPrompt(row, line));
  const prompts = checked.filter((one) => 'row' in one);
  const repeated = repeatedIds(prompts);
  const badLines = new Set(repeated.map(({ line }) => line));
  return {
    rows: prompts.filter(({ line }) => !badLines.has(line)),
    bad: [...bad, ...checked.filter((one) => 'why' in one), ...repeated].sort(
      (a, b) => a.line - b.line,
    ),
  };
}

async function readMbpp(path: string, language: Language): Promise<SortedRows<Converted>> {
  const { rows, bad } = await sortRows(path, mbppSchema);
  return { rows: rows.map(({ row, line }) => ({ row: fromMbpp(row, language), line })), bad };
}

async function readHumanEval(path: string, language: Language): Promise<SortedRows<Converted>> {
  const { rows, bad } = await sortRows(path, humanEvalSchema);
  const tests =
    language === 'python'
      ? await pythonTests(rows.map(({ row }) => row))
      : rows.map(({ row }) => scriptTests(row, language));
  const converted = rows.map(({ row, line }, index) => ({
    row: fromHumanEval(row, tests[index]!, language),
    line,
  }));
  return { rows: converted, bad };
}

function fromHumanEval(row: HumanEval, tests: string[] | string, language: Language): Converted {
  if (typeof tests === 'string') return tests;
  return {
    id: row.task_id,
    language,
    prompt: row.prompt,
    entry: entryOf(row, language),
    continues: true,
    tests: tests.map((text) => ({ assert: text })),
    reference: row.canonical_solution,
  };
}

function entryOf(row: HumanEval, language: Language): string {
  return row.entry_point ?? definitionsIn(row.prompt, language).at(-1)?.name ?? '';
}

/** A translation asserts at the top level, or in a function `check` that must be called. */
function scriptTests(row: HumanEval, language: Language): string[] {
  const isChecked = definitionsIn(row.test, language).some(({ name }) => name === 'check');
  return [isChecked ? `${row.test}\ncheck(${entryOf(row, language)});` : row.test];
}

/** The assertions of each row's `check`, or why there are none. */
async function pythonTests(rows: readonly HumanEval[]): Promise<(string[] | string)[]> {
  const calls = rows.map((row) => [row.test, entryOf(row, 'python'), row.prompt]);
  const outcomes = await readPython('split_checks', calls, { limits });
  return outcomes.map((outcome) =>
    'failed' in outcome
      ? `test: expected a function \`check\`, found: ${outcome.failed}`
      : (JSON.parse(outcome.returned) as string[]),
  );
}

/** The prompt includes the first test, because only that says what the function is called. */
function fromMbpp(row: Mbpp, language: Language): Converted {
  const before = [...row.test_imports, row.test_setup_code].filter(Boolean);
  const code = row.code.replaceAll('\r\n', '\n');
  const [first] = row.test_list;
  const called = namesCalledIn(first!);
  const entry = definitionsIn(code, language).findLast(({ name }) => called.has(name));
  if (!entry)
    return 'code: expected a function that the first test calls, found none at the top level';
  return {
    id: `mbpp/${row.task_id}`,
    language,
    prompt: commented(`${(row.text ?? row.prompt)!.trim()}\n${first}`, language),
    entry: entry.name,
    tests: row.test_list.map((text) => ({ assert: [...before, text].join('\n') })),
    reference: code,
  };
}

/** Names before a bracket, as in `f(2)` and `f (2)`. */
function namesCalledIn(test: string): Set<string> {
  return new Set([...test.matchAll(/([\w$]+)\s*\(/g)].map(([, name]) => name!));
}

function commented(text: string, language: Language): string {
  return language === 'python' ? `"""\n${text}\n"""\n` : `/*\n${text}\n*/\n`;
}

function toPrompt(fields: Converted, line: number): NumberedRow<Prompt> | BadRow {
  if (typeof fields === 'string') return { line, why: fields };
  const checked = promptSchema.safeParse(fields);
  return checked.success
    ? { row: checked.data, line }
    : { line, why: explained(checked.error.issues) };
}
