// How much of its rate limit a judge uses: two workers share a limit of 1,200 requests per minute
// and ask a real HTTP server that takes 0.2 s per answer.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSharedFiles } from '../src/artifacts/shared-files.ts';
import { judgeSchema } from '../src/config/schema/rewards/judge.ts';
import { promptSchema } from '../src/records/prompts.ts';
import { createJudge } from '../src/rewards/judge/judge.ts';
import { rubric, startJudgeServer } from '../src/rewards/judge/judge-server.fixture.ts';
import { scoreCompletions } from '../src/rewards/score-completions.ts';
import { report } from './figure.ts';

const allowed = 1200;
const rounds = 3;
const programs = Array.from({ length: 400 }, (_, i) => `const add = (a, b) => a + b + ${i};`);
const prompt = promptSchema.parse({
  ...{ id: 'add', prompt: '// Add two numbers.\n', entry: 'add' },
  tests: [{ args: [1, 2], returns: 3 }],
  reference: 'const add = (a, b) => a + b;',
});

/** Share of the allowed rate that was used, from the first answer to the last. */
async function useRate(): Promise<number> {
  const server = await startJudgeServer({ latencyMs: 200 });
  const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
  const config = judgeSchema.parse({
    ...{ kind: 'judge', base_url: server.url, model: 'judge', rubric },
    requests_per_minute: allowed,
  });
  const work = (asked: string[]) => {
    const services = { shared: createSharedFiles(folder), run: 'run', resumes: 0 };
    const prompts = asked.map(() => prompt);
    return scoreCompletions(prompts, asked, [createJudge(config, services)]);
  };
  try {
    await Promise.all([work(programs.slice(0, 200)), work(programs.slice(200))]);
    const { served } = server;
    const minutes = (Math.max(...served) - Math.min(...served)) / 60_000;
    return (served.length - 1) / minutes / allowed;
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

const shares: number[] = [];
for (let round = 0; round < rounds; round++) shares.push(await useRate());
report('judge, share of the allowed requests per minute', 'used', shares);
