// Sends one request to a judge, and decides what a failure means: retry, or stop for a person.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  generateText,
  type LanguageModel,
  type LanguageModelUsage,
  NoObjectGeneratedError,
  Output,
} from 'ai';
import type { z } from 'zod';
import type { JudgeConfig } from '../../config/schema/rewards/judge.ts';
import { AnnealError } from '../../errors.ts';
import type { Usage } from './account.ts';
import { type Answer, NoAnswer, noUsage, type Question, RequestRefused } from './answer.ts';
import { lastObject } from './answer-text.ts';
import { faultStatus, messageIn } from './error-body.ts';
import { addressOf, keyNameOf, refusalOf } from './keys.ts';

/** Statuses of an address that is another one, and of a method or a model that does not exist. */
const configurationStatuses = [301, 302, 303, 307, 308, 404, 405];
/** Statuses of a request that the service does not take, by its content or by its settings. */
const requestStatuses = [400, 413, 422];
/** What services say of a request that is too long, or that their filter keeps back. */
const aboutContent =
  /context.?(length|window|size)|maximum context|too (long|large|many tokens)|above_max_length|token limit|content.?(filter|policy|management)|safety|moderation|invalid_prompt/i;

export class Provider {
  readonly #config: JudgeConfig;

  constructor(config: JudgeConfig) {
    this.#config = config;
  }

  /**
   * Ask once.
   * @throws NoAnswer if a retry may help: rate limits, faults of the service, a timeout, an answer
   * that breaks the schema. RequestRefused if the service rejects this request. AnnealError
   * JudgeStopped if it takes none: a missing or refused key, no quota, a wrong address or model.
   * The signal's reason if it is aborted.
   */
  async ask<S extends z.ZodType>(
    { instructions, prompt }: Question,
    schema: S,
    signal?: AbortSignal,
  ): Promise<Answer<z.output<S>>> {
    const { structured_output, temperature, max_output_tokens, time_limit_s } = this.#config;
    const key = this.#key();
    const limit = AbortSignal.timeout(time_limit_s * 1000);
    try {
      const request = {
        model: this.#model(key),
        instructions,
        prompt,
        maxOutputTokens: max_output_tokens,
        ...(temperature !== null && { temperature }),
        maxRetries: 0,
        abortSignal: signal ? AbortSignal.any([signal, limit]) : limit,
        telemetry: { isEnabled: false },
      };
      if (!structured_output) {
        const { text, usage } = await generateText(request);
        return answerIn(text, usage, schema);
      }
      const { output, usage } = await generateText({
        ...request,
        output: Output.object({ schema }),
      });
      return { verdict: output as z.output<S>, usage: usageOf(usage) };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (limit.aborted) throw new NoAnswer(`no answer within ${time_limit_s} s`);
      if (NoObjectGeneratedError.isInstance(error))
        return answerIn(error.text ?? '', error.usage, schema);
      if (error instanceof NoAnswer) throw error;
      throw this.#explain(error, key);
    }
  }

  /** @throws AnnealError JudgeStopped if this worker has no key, or does not send it there. */
  #key(): string | undefined {
    const name = keyNameOf(this.#config);
    if (name === null) return undefined;
    const refusal = refusalOf(this.#config);
    if (refusal !== null) throw this.#stopped(refusal);
    const key = process.env[name];
    if (key) return key;
    throw this.#stopped(
      `expected a key in the environment variable ${name} of the score workers, found none. Start them with it`,
    );
  }

  #model(apiKey: string | undefined): LanguageModel {
    const { provider, model } = this.#config;
    // Always given: the SDK would take an address from the environment, and send the key there.
    const baseURL = addressOf(this.#config);
    const settings = {
      baseURL,
      ...(apiKey && { apiKey }),
      fetch: fetchAnswer,
    };
    switch (provider) {
      case 'openai':
        return createOpenAI(settings).chat(model);
      case 'anthropic':
        return createAnthropic(settings)(model);
      case 'openai-compatible':
        return createOpenAICompatible({
          ...settings,
          name: provider,
          supportsStructuredOutputs: true,
        })(model);
    }
  }

  #explain(error: unknown, key: string | undefined): Error {
    const hide = (text: string) => without(key, text);
    const message = hide(error instanceof Error ? error.message : String(error));
    if (!APICallError.isInstance(error)) return new NoAnswer(message);
    const { statusCode: status, responseHeaders, responseBody: body = '' } = error;
    const said = messageIn(body, hide) || message || 'an empty answer';
    if (status === 401 || status === 403)
      return this.#stopped(`the service refused the key (${status}: ${said}). Set a valid one`);
    if (status === 402 || /insufficient_quota|billing|credit balance/i.test(body))
      return this.#stopped(`the quota is used up (${status}: ${said}). Renew it`);
    const rejects = `the service rejects the request (${status}: ${said})`;
    const stopped = this.#stopped(`${rejects}. Check model, base_url and structured_output`);
    if (configurationStatuses.includes(status ?? 0)) return stopped;
    if (requestStatuses.includes(status ?? 0))
      return new RequestRefused(rejects, aboutContent.test(`${said} ${body}`) ? null : stopped);
    return new NoAnswer(`${status ?? 'no connection'}: ${said}`, retryAfterMs(responseHeaders));
  }

  #stopped(what: string): AnnealError {
    const { name } = this.#config;
    return new AnnealError('JudgeStopped', `rewards: '${name}': ${what}, then resume the run.`);
  }
}

/** Some models put reasoning, prose or a code fence around their JSON. */
function answerIn<S extends z.ZodType>(
  text: string,
  used: LanguageModelUsage | undefined,
  schema: S,
): Answer<z.output<S>> {
  const usage = used ? usageOf(used) : noUsage;
  const verdict = lastObject(text, schema);
  if (verdict !== undefined) return { verdict, usage };
  const found = JSON.stringify(text.slice(0, 80));
  throw new NoAnswer(
    `expected a verdict that fits the rubric's schema, found ${found}`,
    null,
    usage,
  );
}

/**
 * Fetches an answer of the model.
 * @throws APICallError for an answer of 200 without one, with the status that it gives itself
 */
async function fetchAnswer(...[url, init]: Parameters<typeof fetch>): Promise<Response> {
  // A key must not follow a redirect: fetch drops `Authorization` on the way to another host, but not
  // the header that Anthropic's keys are in.
  const response = await fetch(url, { ...init, redirect: 'manual' });
  if (!response.ok) return response;
  const responseBody = await response.text();
  const statusCode = faultStatus(response.status, responseBody);
  const { status, headers } = response;
  if (statusCode === null) return new Response(responseBody, { status, headers });
  throw new APICallError({
    message: 'no answer of a model',
    url: String(url),
    requestBodyValues: {},
    statusCode,
    responseHeaders: Object.fromEntries(headers),
    responseBody,
  });
}

function usageOf({ inputTokens, outputTokens }: LanguageModelUsage): Usage {
  return { input: inputTokens ?? 0, output: outputTokens ?? 0 };
}

/** Removes the key: services quote it when they refuse it. */
function without(key: string | undefined, text: string): string {
  return key === undefined ? text : text.replaceAll(key, '(key)');
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or OpenAI's in milliseconds. */
function retryAfterMs(headers: Record<string, string> | undefined): number | null {
  const ms = Number(headers?.['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return ms;
  const value = headers?.['retry-after'];
  if (value === undefined) return null;
  const found = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(found) ? null : Math.max(0, found);
}
