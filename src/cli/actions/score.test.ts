import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { resolveInput } from '../../config/paths.ts';
import { saveClassifier } from '../../engine/files/classifier-folder.ts';
import { printScores, scoreFile, scoreTable } from './score.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-score-'));
  await writeFile(at('prompts.jsonl'), ['twice', 'half'].map(promptLine).join(''));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const promptLine = (id: string) =>
  `${JSON.stringify({
    id,
    prompt: `// ${id} of a value\n`,
    entry: id,
    tests: [{ args: [4], returns: id === 'twice' ? 8 : 2 }],
    reference: `function ${id}(value) { return value ${id === 'twice' ? '* 2' : '/ 2'}; }`,
  })}\n`;
const half = 'function half(value) { return value / 2; }';

async function completions(...rows: unknown[]) {
  const path = at('completions.jsonl');
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { completions: path };
}

it('scores rows in their order, whichever key names the prompt', async () => {
  const options = await completions(
    { id: 'half', completion: half },
    { prompt_id: 'twice', completion: 'function twice(value) {' },
    { promptId: 'half', completion: half, more: 1 },
  );
  const rows = await scoreFile(at('prompts.jsonl'), options);
  expect(rows.map(({ id, reward }) => [id, reward])).toEqual([
    ['half', 1],
    ['twice', 0],
    ['half', 1],
  ]);
  expect(rows[0]!.rewards.rubric!.criteria).toEqual({
    correctness: 1,
    quality: 1,
    efficiency: 1,
    documentation: 0,
  });
});

it('uses the reward model of a run file', async () => {
  await mkdir(at('judge'));
  await saveClassifier(resolveInput('models/policy'), at('judge'), 1);
  await writeFile(
    at('judged.yaml'),
    `model: { path: ${folder} }
prompts: { train: prompts.jsonl, held_out: prompts.jsonl }
phases: [{ name: one, epochs: [1, 1] }]
rewards: [{ kind: reward_model, path: ${at('judge')} }]
`,
  );
  const options = await completions(
    { id: 'half', completion: half },
    { id: 'twice', completion: half },
    { id: 'half', completion: 'function' },
  );
  const rows = await scoreFile(at('prompts.jsonl'), { ...options, config: at('judged.yaml') });
  const [first, second, broken] = rows.map(({ reward }) => reward!);
  expect(first).toBeGreaterThan(0);
  expect(second).not.toBe(first);
  expect(broken).toBe(0);
  expect(scoreTable(rows)[0]).toMatch(/^prompt +reward +reward_model +note$/);
});

it('uses the rewards of a run file', async () => {
  const config = at('run.yaml');
  await writeFile(
    config,
    `model: { path: ${folder} }
prompts: { train: prompts.jsonl, held_out: prompts.jsonl }
phases: [{ name: one, epochs: [1, 1] }]
rewards:
  - { kind: rubric, name: mine, normalize_by_reference: false, criteria: { documentation: 1 } }
`,
  );
  const options = { ...(await completions({ id: 'half', completion: half })), config };
  const [row] = await scoreFile(at('prompts.jsonl'), options);
  expect(row!.reward).toBeCloseTo((0.3 + 0.3 + 0.2) / 1.8, 10);
  expect(Object.keys(row!.rewards)).toEqual(['mine']);
});

it.each([
  [
    'an unknown prompt',
    { id: 'third', completion: half },
    /line 2: expected the id of a prompt in .*, found 'third'/,
  ],
  ['a row without id', { completion: half }, /line 2: .*expected the id of a prompt/],
  ['a row without completion', { id: 'half' }, /line 2: completion: /],
])('refuses %s, naming the line', async (_, row, message) => {
  const options = await completions({ id: 'half', completion: half }, row);
  await expect(scoreFile(at('prompts.jsonl'), options)).rejects.toMatchObject({
    kind: 'InvalidData',
    message: expect.stringMatching(message),
  });
});

it('prints one JSON document, or a table with a column for each criterion', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const options = await completions({ id: 'half', completion: half });
  await printScores(at('prompts.jsonl'), { ...options, json: true });
  await printScores(at('prompts.jsonl'), options);
  const [json, table] = log.mock.calls.map(([text]) => String(text));
  log.mockRestore();
  expect(JSON.parse(json!)).toMatchObject([
    { id: 'half', reward: 1, rewards: { rubric: { value: 1 } } },
  ]);
  const [head, row] = table!.split('\n').map((line) => line.trim().split(/\s+/));
  expect(head).toEqual([
    'prompt',
    'reward',
    'correctness',
    'quality',
    'efficiency',
    'documentation',
    'note',
  ]);
  expect(row).toEqual(['half', '1.000', '1.000', '1.000', '1.000', '0.000']);
});

it('shows a missing score as a dash and does not average it', () => {
  const rows = [
    { id: 'a', reward: null, rewards: { judge: { value: null, criteria: {}, note: 'no answer' } } },
    { id: 'b', reward: 0.5, rewards: { judge: { value: 0.5, criteria: {} } } },
  ];
  const lines = scoreTable(rows);
  expect(lines[1]).toMatch(/^a +– +– +no answer$/);
  expect(lines.at(-1)).toBe('average reward 0.500 over 1 completions; 1 without a score');
});
