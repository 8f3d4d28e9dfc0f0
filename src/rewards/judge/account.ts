// Enforces a judge's limits across all workers of a store: requests and tokens per minute for each
// judge; calls, tokens and money for each run. A judge without limits keeps no records.

import { setTimeout as sleep } from 'node:timers/promises';
import type { JudgeConfig } from '../../config/schema/rewards/judge.ts';
import { AnnealError } from '../../errors.ts';
import type { JudgeServices } from '../reward.ts';
import { SharedRecord } from './shared-record.ts';

const minuteMs = 60_000;

/** Tokens of one request. */
export interface Usage {
  input: number;
  output: number;
}

/** When the next request may go out, by each of the two rate limits; Unix ms. */
interface Pace {
  requestAt: number;
  tokenAt: number;
  /** When this was written, by the writer's clock; missing in old records. */
  writtenAt?: number;
}

interface Spent {
  calls: number;
  tokens: number;
  usd: number;
}

/** Admits requests within a judge's limits and a run's budget. */
export class Account {
  readonly #config: JudgeConfig;
  readonly #services: JudgeServices;
  readonly #pace: SharedRecord<Pace>;
  readonly #spent: SharedRecord<Spent>;
  /** Tokens used minus tokens reserved, not yet charged. */
  #owed = 0;
  /** Average tokens of a request, updated with each answer. */
  #tokensPerRequest: number | undefined;

  /** `judge` identifies the service whose rate limits are shared. */
  constructor(config: JudgeConfig, judge: string, services: JudgeServices) {
    this.#config = config;
    this.#services = services;
    this.#pace = new SharedRecord(services.shared, `limits/${judge}`, { requestAt: 0, tokenAt: 0 });
    this.#spent = new SharedRecord(services.shared, `budgets/${services.run}/${config.name}`, {
      calls: 0,
      tokens: 0,
      usd: 0,
    });
  }

  /**
   * Wait until a request may go out, and count it. Rate limits are a generic cell rate algorithm
   * (ITU-T I.371) without bursts.
   * @param expectedTokens estimate for the first request, input and output together.
   * @returns the tokens reserved for it.
   * @throws AnnealError JudgeStopped if the budget is spent.
   */
  async admit(expectedTokens: number, signal?: AbortSignal): Promise<number> {
    await this.#spendCall();
    const { requests_per_minute: requests, tokens_per_minute: limit } = this.#config;
    const reserved = Math.ceil(this.#tokensPerRequest ?? expectedTokens);
    if (requests === null && limit === null) return reserved;
    const tokens = reserved + this.#owed;
    this.#owed = 0;
    const waitMs = await this.#pace.update((pace) => {
      const now = Date.now();
      const { requestAt, tokenAt } = sinceClockWasSet(pace, now);
      const start = Math.max(now, requestAt, tokenAt);
      return {
        value: {
          requestAt: start + (requests === null ? 0 : minuteMs / requests),
          tokenAt: Math.max(now, tokenAt) + (limit === null ? 0 : (tokens * minuteMs) / limit),
          writtenAt: now,
        },
        result: start - now,
      };
    });
    await sleep(waitMs, undefined, { signal });
    return reserved;
  }

  /** Charge what a request actually used. */
  async settle({ input, output }: Usage, reserved: number): Promise<void> {
    const used = input + output;
    if (used === 0) return;
    this.#owed += used - reserved;
    this.#tokensPerRequest = 0.9 * (this.#tokensPerRequest ?? used) + 0.1 * used;
    if (!this.#limited) return;
    const { input_price, output_price } = this.#config.budget;
    const cost = (input * input_price + output * output_price) / 1e6;
    await this.#spent.update(({ calls, tokens, usd }) => ({
      value: { calls, tokens: tokens + used, usd: usd + cost },
      result: undefined,
    }));
  }

  get #limited(): boolean {
    const { calls, tokens, usd } = this.#config.budget;
    return calls !== null || tokens !== null || usd !== null;
  }

  async #spendCall(): Promise<void> {
    if (!this.#limited) return;
    const problem = await this.#spent.update((spent) => {
      const exceeded = this.#exceeded(spent);
      return {
        value: exceeded === null ? { ...spent, calls: spent.calls + 1 } : spent,
        result: exceeded,
      };
    });
    if (problem !== null)
      throw new AnnealError(
        'JudgeStopped',
        `rewards: the budget of '${this.#config.name}' is spent: ${problem}. Resume the run to grant as much again.`,
      );
  }

  #exceeded(spent: Spent): string | null {
    const grants = 1 + this.#services.resumes;
    for (const kind of ['calls', 'tokens', 'usd'] as const) {
      const limit = this.#config.budget[kind];
      if (limit !== null && spent[kind] >= limit * grants)
        return `${Number(spent[kind].toFixed(4))} of ${limit * grants} ${kind}`;
    }
    return null;
  }
}

/**
 * Corrects a record that lies in the future because the clock was set back since: its times are
 * shifted by the same amount. Clocks of different machines may differ by up to a minute.
 */
function sinceClockWasSet({ requestAt, tokenAt, writtenAt = 0 }: Pace, now: number): Pace {
  const ahead = writtenAt - now > minuteMs ? writtenAt - now : 0;
  return { requestAt: requestAt - ahead, tokenAt: tokenAt - ahead };
}
