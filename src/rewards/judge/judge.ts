// A large language model as a reward: it judges programs by a rubric. Such a judge is slow, costly
// and unreliable, so every verdict is kept for good, and a missing one is null, never 0.

import { createHash } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { mapConcurrently } from '../../collections/map-concurrently.ts';
import type { JudgeConfig, JudgeRubric } from '../../config/schema/rewards/judge.ts';
import { AnnealError } from '../../errors.ts';
import type { Prompt } from '../../records/prompts.ts';
import type {
  CriterionResult,
  JudgeServices,
  Reward,
  RewardImplementation,
  ScoreItem,
  ScoreOptions,
  SharedFiles,
} from '../reward.ts';
import { Account } from './account.ts';
import { type Answer, NoAnswer, type Question, RequestRefused } from './answer.ts';
import { readVerdicts, writeVerdicts } from './kept-verdicts.ts';
import { checkKeyUse } from './keys.ts';
import type { Shown } from './normalize.ts';
import type { Provider } from './provider.ts';
import { questionOf } from './question.ts';
import { readRubric } from './rubric-file.ts';
import {
  groupSchema,
  rubricValue,
  rubricVersion,
  type Verdict,
  verdictOf,
  verdictSchema,
} from './verdict.ts';

const firstBackoffMs = 500;
const longestBackoffMs = 30_000;
/** If a service asks to wait longer, the verdict counts as missing. */
const longestWaitMs = 5 * 60_000;
const charactersPerToken = 4;

/** One request: distinct programs for one prompt, as the judge sees them. */
interface Case {
  prompt: Prompt;
  programs: readonly string[];
  /** A second opinion: programs in reverse order, the solution on the other side. */
  isSecond: boolean;
}

/** Why there is no verdict; `refused` if asking again cannot help. */
interface Missing {
  missing: string;
  refused?: RequestRefused;
}
/** Verdicts on a case's programs in order, with the key they are kept by; or why they are missing. */
type Decision = { verdicts: Verdict[]; key: string } | Missing;
/** A decision on one program. */
type Opinion = (Verdict & { verdict: string }) | Missing;

/** The judge as a reward. The rubric in its config is already read from its file. */
export function createJudge(config: JudgeConfig, services: JudgeServices): Reward {
  const { name, weight, mode } = config;
  const rubric = config.rubric as JudgeRubric;
  const judge = new Judge(config, rubric, services);

  return {
    name,
    weight,
    async score(items, { signal, onProgress }: ScoreOptions = {}) {
      const { showProgram } = await import('./normalize.ts');
      const shown: Shown[] = [];
      for (const { prompt, program } of items) {
        shown.push(await showProgram(program, prompt, config));
        // Lets verdicts of other shards arrive and be written in between.
        await nextTurn();
      }
      const once = casesOf(items, shown, mode);
      const twice = once.filter((one) => drawOf(one) < config.second_opinions);
      const cases = [...once, ...twice.map(turned)];
      const decisions = await judge.decideAll(cases, {
        signal,
        onProgress: (done) => onProgress?.({ done, total: cases.length, unit: 'verdicts' }),
      });
      checkRefused(decisions);
      const found = findingsOf(cases, decisions);
      const unanswered: string[] = [];
      const results = items.map(({ prompt }, i): CriterionResult => {
        const program = shown[i]!;
        if (typeof program !== 'string') return { ...program, criteria: {} };
        const { first, second, place } = found.get(keyOf(prompt, program))!;
        if ('missing' in first) {
          const note = `no verdict: ${first.missing}`;
          if (!first.refused) unanswered.push(note);
          return { value: null, criteria: {}, note };
        }
        const valued = ({ criteria }: Verdict) => ({
          value: rubricValue({ criteria }, rubric),
          criteria,
        });
        const twice =
          second === undefined || 'missing' in second
            ? null
            : { ...valued(second), verdict: second.verdict };
        const judged = { place, verdict: first.verdict, second: twice };
        return { ...valued(first), note: first.note, judged };
      });
      checkMissing(config, unanswered, items.length);
      return results;
    },
  };
}

export const judgeKind: RewardImplementation<JudgeConfig> = {
  create: createJudge,
  check: (config) => checkKeyUse(config),
  async readFiles(config, resolve) {
    const { rubric } = config;
    return typeof rubric === 'string'
      ? { ...config, rubric: await readRubric(rubric, resolve) }
      : config;
  },
};

class Judge {
  readonly #config: JudgeConfig;
  readonly #rubric: JudgeRubric;
  readonly #version: string;
  readonly #verdicts: SharedFiles;
  #provider: Promise<Provider> | undefined;
  readonly #account: Account;

  constructor(config: JudgeConfig, rubric: JudgeRubric, services: JudgeServices) {
    const { provider, base_url, model, api_key_env } = config;
    this.#config = config;
    this.#rubric = rubric;
    this.#version = rubricVersion(rubric);
    this.#verdicts = services.shared;
    const service = hashOf([provider, base_url, model, api_key_env]).slice(0, 16);
    this.#account = new Account(config, service, services);
  }

  /** Decide cases, a few at a time. If one stops the judge, those already paid for still finish. */
  decideAll(
    cases: readonly Case[],
    {
      signal,
      onProgress,
    }: { signal?: AbortSignal | undefined; onProgress: (done: number) => void },
  ): Promise<Decision[]> {
    let done = 0;
    return mapConcurrently(cases, this.#config.concurrency, async (one) => {
      const decision = await this.#decide(one, signal);
      onProgress(++done);
      return decision;
    });
  }

  /** Loaded on first use: a worker without a judge starts half a second sooner. */
  #service(): Promise<Provider> {
    this.#provider ??= import('./provider.ts').then(({ Provider }) => new Provider(this.#config));
    return this.#provider;
  }

  /** Ask once for one verdict per program, in order. @throws what Provider.ask throws. */
  async #ask(
    question: Question,
    programs: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer<Verdict[]>> {
    const provider = await this.#service();
    if (this.#config.mode === 'pointwise') {
      const { verdict, usage } = await provider.ask(question, verdictSchema(this.#rubric), signal);
      return { verdict: [verdictOf(verdict)], usage };
    }
    const schema = groupSchema(this.#rubric, programs);
    const { verdict, usage } = await provider.ask(question, schema, signal);
    const ordered = verdict.verdicts.toSorted((a, b) => Number(a.program) - Number(b.program));
    return { verdict: ordered.map(verdictOf), usage };
  }

  async #decide({ prompt, programs, isSecond }: Case, signal?: AbortSignal): Promise<Decision> {
    const { provider, model, temperature, max_output_tokens, mode } = this.#config;
    const question = questionOf(this.#rubric, prompt, programs, {
      numbered: mode === 'groupwise',
      solutionLast: isSecond,
    });
    const key = hashOf([provider, model, this.#version, temperature, max_output_tokens, question]);
    const known = await readVerdicts<Verdict>(this.#verdicts, key, programs.length);
    if (known) return { verdicts: known, key };
    const size = question.instructions.length + question.prompt.length;
    const guess = size / charactersPerToken + 64 * programs.length;
    for (let attempt = 1; ; attempt++) {
      const reserved = await this.#account.admit(guess, signal);
      try {
        const { verdict: verdicts, usage } = await this.#ask(question, programs.length, signal);
        await writeVerdicts(this.#verdicts, key, verdicts);
        await this.#account.settle(usage, reserved);
        return { verdicts, key };
      } catch (error) {
        if (error instanceof RequestRefused) return { missing: error.message, refused: error };
        if (!(error instanceof NoAnswer)) throw error;
        await this.#account.settle(error.usage, reserved);
        const wait = error.retryAfterMs ?? backoffMs(attempt);
        if (attempt === this.#config.attempts || wait > longestWaitMs)
          return { missing: error.message };
        await sleep(wait, undefined, { signal });
      }
    }
  }
}

/** The questions: each distinct program by itself, or all of a prompt's in a shuffled order. */
function casesOf(
  items: readonly ScoreItem[],
  shown: readonly Shown[],
  mode: JudgeConfig['mode'],
): Case[] {
  const programs = new Map<Prompt, Set<string>>();
  items.forEach(({ prompt }, i) => {
    const program = shown[i]!;
    if (typeof program !== 'string') return;
    programs.set(prompt, (programs.get(prompt) ?? new Set()).add(program));
  });
  return [...programs].flatMap(([prompt, distinct]) =>
    mode === 'pointwise'
      ? [...distinct].map((program) => ({ prompt, programs: [program], isSecond: false }))
      : [{ prompt, programs: shuffled(prompt, [...distinct]), isSecond: false }],
  );
}

const turned = ({ prompt, programs }: Case): Case => ({
  prompt,
  programs: programs.toReversed(),
  isSecond: true,
});

/** A number in [0, 1) that depends only on the case. */
function drawOf({ prompt, programs }: Case): number {
  return Number.parseInt(hashOf([prompt.prompt, programs]).slice(0, 8), 16) / 2 ** 32;
}

/** The result for a program. */
interface Finding {
  first: Opinion;
  second?: Opinion;
  place: number | null;
}

function findingsOf(cases: readonly Case[], decisions: readonly Decision[]): Map<string, Finding> {
  const findings = new Map<string, Finding>();
  cases.forEach(({ prompt, programs, isSecond }, i) => {
    const decision = decisions[i]!;
    programs.forEach((program, at) => {
      const key = keyOf(prompt, program);
      const opinion =
        'missing' in decision ? decision : { ...decision.verdicts[at]!, verdict: decision.key };
      if (isSecond) findings.get(key)!.second = opinion;
      else {
        const place = programs.length > 1 ? at / (programs.length - 1) : null;
        findings.set(key, { first: opinion, place });
      }
    });
  });
  return findings;
}

/** Pseudo-random order that depends only on the programs: that of their hashes. */
function shuffled(prompt: Prompt, programs: readonly string[]): string[] {
  return programs
    .map((program) => [keyOf(prompt, program), program] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, program]) => program);
}

const keyOf = (prompt: Prompt, program: string) => hashOf([prompt.prompt, program]);

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** With jitter, so that parallel requests do not retry at the same moment. */
function backoffMs(attempt: number): number {
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** (attempt - 1)) * (0.5 + Math.random());
}

/**
 * If the service refuses every request of a shard, the configuration is to blame.
 * @throws AnnealError JudgeStopped
 */
function checkRefused(decisions: readonly Decision[]): void {
  if (decisions.some((decision) => 'verdicts' in decision)) return;
  for (const decision of decisions)
    if ('missing' in decision && decision.refused?.ifAll) throw decision.refused.ifAll;
}

/**
 * Verdicts that were refused do not count, since they would be refused again.
 * @throws AnnealError JudgeUnavailable if more verdicts are missing than max_missing allows.
 */
function checkMissing(
  { name, max_missing }: JudgeConfig,
  unanswered: readonly string[],
  samples: number,
): void {
  if (unanswered.length <= max_missing * samples) return;
  throw new AnnealError(
    'JudgeUnavailable',
    `rewards: '${name}' gave no verdict on ${unanswered.length} of ${samples} samples, more than max_missing (${max_missing}) allows; the last: ${unanswered.at(-1)}. They are asked for again.`,
  );
}
