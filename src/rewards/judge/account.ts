// What asking a judge may cost, held across all workers of a store: requests and tokens a minute
// by judge, calls, tokens and money by run. Nothing is kept for a judge without limits.

import { setTimeout as sleep } from 'node:timers/promises';
import type { JudgeConfig } from '../../config/schema/judge-reward.ts';
import { AnnealError } from '../../errors.ts';
import type { JudgeServices } from '../reward.ts';
import { SharedRecord } from './shared-record.ts';

const minuteMs = 60_000;

/** Tokens of one request. */
export interface Usage {
  input: number;
  output: number;
}

/** When the next request may go out, for the requests and for the tokens a minute; Unix ms. */
interface Pace {
  requestAt: number;
  tokenAt: number;
  /** When this was written, by its writer's clock; none where not said. */
  writtenAt?: number;
}

interface Spent {
  calls: number;
  tokens: number;
  usd: number;
}

/** A judge's limits and a run's budget. */
export class Account {
  readonly #config: JudgeConfig;
  readonly #services: JudgeServices;
  readonly #pace: SharedRecord<Pace>;
  readonly #spent: SharedRecord<Spent>;
  /** Tokens used beyond (or under) what was reserved for them. */
  #owed = 0;
  /** What a request takes, learned as answers come in. */
  #tokensPerRequest: number | undefined;

  /** `judge` names the service, for whoever shares its limits. */
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
   * @param expectedTokens a first guess at what it takes, in and out.
   * @returns the tokens that were reserved for it.
   * @throws AnnealError JudgeStopped where the budget is spent.
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

  /** Say what a request took in the end. */
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
 * A record from the future: the clock was set back since it was written, and what it says is as
 * long from now as it was then. Clocks of several machines differ by less than a minute.
 */
function sinceClockWasSet({ requestAt, tokenAt, writtenAt = 0 }: Pace, now: number): Pace {
  const ahead = writtenAt - now > minuteMs ? writtenAt - now : 0;
  return { requestAt: requestAt - ahead, tokenAt: tokenAt - ahead };
}
