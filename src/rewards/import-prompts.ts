// Converts prompt files of other projects: HumanEval (arXiv 2107.03374) and MBPP (arXiv 2108.07732)
// in the JSONL shapes in which they are published, and translations of them in the same shapes,
// such as HumanEval-X (arXiv 2303.17568), whose tests are a source text with assertions.

import { z } from 'zod';
import { type Prompt, promptSchema } from '../records/prompts.ts';
import { readPython } from './programs/python.ts';
import { invalid, type NumberedRow, readRows } from './prompts.ts';

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

const limits = { timeLimitMs: 2000, memoryLimitMb: 64 };

/**
 * Read prompts from a file of another project.
 * @throws AnnealError InvalidData naming file and line if a row does not have the format.
 */
export async function importPrompts(
  path: string,
  format: PromptFormat,
  language: Language,
): Promise<Prompt[]> {
  if (format === 'mbpp')
    return (await readRows(path, mbppSchema)).map(({ row, line }) =>
      fromMbpp(row, path, line, language),
    );
  const rows = await readRows(path, humanEvalSchema);
  return language === 'python'
    ? fromHumanEval(rows, path)
    : rows.map(({ row, line }) => fromTranslation(row, path, line, language));
}

type Language = Prompt['language'];

/** Names that a source defines at its top level, in order. */
function definedIn(text: string, language: Language): string[] {
  const definition =
    language === 'python'
      ? /^def\s+(\w+)/gm
      : /^(?:async\s+)?(?:function\b\s*\*?|const\b|let\b|var\b)\s*([\w$]+)/gm;
  return [...text.matchAll(definition)].map(([, name]) => name!);
}

function entryOf(row: z.output<typeof humanEvalSchema>, language: Language): string {
  return row.entry_point ?? definedIn(row.prompt, language).at(-1) ?? '';
}

/** Its test asserts at the top level, or in a function `check` that must be called. */
function fromTranslation(
  row: z.output<typeof humanEvalSchema>,
  path: string,
  line: number,
  language: Language,
): Prompt {
  const entry = entryOf(row, language);
  const isChecked = definedIn(row.test, language).includes('check');
  return toPrompt(path, line, {
    id: row.task_id,
    language,
    prompt: row.prompt,
    entry,
    continues: true,
    tests: [{ assert: isChecked ? `${row.test}\ncheck(${entry});` : row.test }],
    reference: row.canonical_solution,
  });
}

async function fromHumanEval(
  rows: NumberedRow<z.output<typeof humanEvalSchema>>[],
  path: string,
): Promise<Prompt[]> {
  const calls = rows.map(({ row }) => [row.test, entryOf(row, 'python'), row.prompt]);
  const outcomes = await readPython('split_checks', calls, { limits });
  return rows.map(({ row, line }, index) => {
    const outcome = outcomes[index]!;
    if ('failed' in outcome)
      throw invalid(path, line, `test: expected a function \`check\`, found: ${outcome.failed}`);
    return toPrompt(path, line, {
      id: row.task_id,
      language: 'python',
      prompt: row.prompt,
      entry: entryOf(row, 'python'),
      continues: true,
      tests: (JSON.parse(outcome.returned) as string[]).map((text) => ({ assert: text })),
      reference: row.canonical_solution,
    });
  });
}

/** The prompt includes the first test, because only that says what the function is called. */
function fromMbpp(
  row: z.output<typeof mbppSchema>,
  path: string,
  line: number,
  language: Language,
): Prompt {
  const before = [...row.test_imports, row.test_setup_code].filter(Boolean);
  const names = definedIn(row.code.replaceAll('\r\n', '\n'), language);
  const entry = names.findLast((name) => row.test_list[0]!.includes(`${name}(`)) ?? '';
  return toPrompt(path, line, {
    id: `mbpp/${row.task_id}`,
    language,
    prompt: commented(`${(row.text ?? row.prompt)!.trim()}\n${row.test_list[0]}`, language),
    entry,
    tests: row.test_list.map((text) => ({ assert: [...before, text].join('\n') })),
    reference: row.code.replaceAll('\r\n', '\n'),
  });
}

function commented(text: string, language: Language): string {
  return language === 'python' ? `"""\n${text}\n"""\n` : `/*\n${text}\n*/\n`;
}

function toPrompt(path: string, line: number, fields: object): Prompt {
  const checked = promptSchema.safeParse(fields);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw invalid(path, line, `${issue?.path.join('.')}: ${issue?.message}`);
}
