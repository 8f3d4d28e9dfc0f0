import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { judgeSchema } from '../../config/schema/rewards/judge.ts';
import { checkKeyUse } from './keys.ts';
import { Provider } from './provider.ts';

const judgeOf = (config: object) =>
  judgeSchema.parse({ kind: 'judge', model: 'm', rubric: 'r', ...config });
const compatible = (api_key_env: string | null, base_url: string) =>
  judgeOf({ api_key_env, base_url });

function refusal(config: object, keys?: string): string | null {
  try {
    checkKeyUse(judgeOf(config), { ANNEAL_JUDGE_KEYS: keys, AWS_SECRET_ACCESS_KEY: 'planted' });
    return null;
  } catch (error) {
    expect(error).toMatchObject({ kind: 'InvalidConfig' });
    return (error as Error).message;
  }
}

describe('without a setting', () => {
  it.each([
    [{ provider: 'openai' }],
    [{ provider: 'anthropic' }],
    [{ api_key_env: 'OPENROUTER_API_KEY', base_url: 'https://openrouter.ai/api/v1' }],
    [{ base_url: 'http://localhost:11434/v1' }],
    [{ base_url: 'http://10.0.0.7:8000/v1' }],
  ])('%j is allowed', (config) => {
    expect(refusal(config)).toBeNull();
  });

  it.each([
    [{ provider: 'openai', base_url: 'https://evil.example/v1' }],
    [{ provider: 'anthropic', base_url: 'https://evil.example/v1' }],
    [{ provider: 'openai', base_url: 'http://api.openai.com/v1' }],
    [{ provider: 'openai', base_url: 'https://api.openai.com.evil.example/v1' }],
    [{ provider: 'openai', base_url: 'https://api.openai.com@evil.example/v1' }],
    [{ provider: 'openai', base_url: 'http://127.0.0.1:8000/v1' }],
    [{ api_key_env: 'OPENAI_API_KEY', base_url: 'https://api.anthropic.com/v1' }],
    [{ api_key_env: 'AWS_SECRET_ACCESS_KEY', base_url: 'https://api.openai.com/v1' }],
    [{ api_key_env: 'ANNEAL_PAYLOAD_KEYS', base_url: 'http://localhost:8000/v1' }],
    [{ api_key_env: 'PATH', base_url: 'https://evil.example/v1' }],
    [{ api_key_env: '__PROTO__', base_url: 'https://evil.example/v1' }],
  ])('%j is refused', (config) => {
    expect(refusal(config)).toMatch(/rewards: 'judge': .*ANNEAL_JUDGE_KEYS="/);
  });
});

describe('ANNEAL_JUDGE_KEYS', () => {
  const url = 'https://judge.example:8000/v1';
  it.each([
    ['JUDGE_KEY=judge.example', url],
    ['JUDGE_KEY=judge.example:8000', url],
    ['  OTHER=a.example \n JUDGE_KEY=b.example,judge.example ', url],
    ['JUDGE_KEY=b.example JUDGE_KEY=judge.example', url],
    ['JUDGE_KEY=JUDGE.example', url],
    ['JUDGE_KEY=localhost', 'http://localhost:11434/v1'],
    ['JUDGE_KEY=127.0.0.1', 'http://127.0.0.1:8000/v1'],
    ['JUDGE_KEY=[::1]:8000', 'http://[::1]:8000/v1'],
    ['JUDGE_KEY=http://judge.example', 'http://judge.example/v1'],
    ['JUDGE_KEY=http://judge.example', url],
  ])('%s allows %s', (keys, base_url) => {
    expect(refusal({ api_key_env: 'JUDGE_KEY', base_url }, keys)).toBeNull();
  });

  it.each([
    ['JUDGE_KEY=judge.example:8001', url],
    ['OTHER=judge.example', url],
    ['JUDGE_KEY=example', url],
    ['JUDGE_KEY=judge.example', 'http://judge.example:8000/v1'],
    ['JUDGE_KEY=localhost', 'http://127.0.0.1:8000/v1'],
  ])('%s does not allow %s, and the refusal says what would', (keys, base_url) => {
    const config = { api_key_env: 'JUDGE_KEY', base_url };
    const [, entry] = /ANNEAL_JUDGE_KEYS="(.*)"/.exec(refusal(config, keys)!)!;
    expect(refusal(config, entry)).toBeNull();
  });

  it('adds to the documented hosts', () => {
    const keys = 'OPENAI_API_KEY=eu.api.openai.com';
    expect(refusal({ provider: 'openai' }, keys)).toBeNull();
    expect(
      refusal({ provider: 'openai', base_url: 'https://eu.api.openai.com/v1' }, keys),
    ).toBeNull();
  });

  it.each([
    'OPENAI_API_KEY',
    'OPENAI_API_KEY=',
    'OPENAI_API_KEY=sk-secret/key',
    'OPENAI_API_KEY=sk-secret=',
    'JUDGE_KEY=https://judge.example/v1',
    'judge_key=judge.example',
    'sk-secret',
    'JUDGE_KEY=*',
  ])('%s is refused without quoting it', (keys) => {
    const message = refusal({ provider: 'openai', base_url: 'https://a.example' }, keys)!;
    expect(message).toContain('expected NAME=host');
    expect(message).not.toContain('sk-secret');
  });
});

describe('requests', () => {
  const servers: Server[] = [];
  const seen: IncomingMessage[] = [];
  afterEach(async () => {
    vi.unstubAllEnvs();
    seen.length = 0;
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer((request, response) => {
      seen.push(request);
      request.resume();
      listener(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const ask = (config: object) =>
    new Provider(judgeOf(config)).ask({ instructions: 'i', prompt: 'p' }, z.object({}));

  it('are not sent with a key that the worker does not send there', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'planted');
    const base_url = await serve((_, response) => response.end('{}'));
    const error = await ask(compatible('AWS_SECRET_ACCESS_KEY', base_url)).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ kind: 'JudgeStopped' });
    expect(error.message).toContain('ANNEAL_JUDGE_KEYS="AWS_SECRET_ACCESS_KEY=127.0.0.1:');
    expect(error.message).not.toContain('planted');
    expect(seen).toEqual([]);
  });

  it.each(['openai-compatible', 'openai', 'anthropic'])(
    'of %s follow no redirect, to no host',
    async (provider) => {
      vi.stubEnv('JUDGE_KEY', 'planted');
      vi.stubEnv('ANNEAL_JUDGE_KEYS', 'JUDGE_KEY=127.0.0.1');
      for (const status of [301, 302, 303, 307, 308]) {
        const elsewhere = await serve((_, response) => response.end('{}'));
        const base_url = await serve((_, response) =>
          response.writeHead(status, { location: `${elsewhere}/v1` }).end(),
        );
        seen.length = 0;
        await expect(ask({ provider, base_url, api_key_env: 'JUDGE_KEY' })).rejects.toMatchObject({
          kind: 'JudgeStopped',
          message: expect.stringContaining(String(status)),
        });
        expect(seen.map(({ headers }) => headers.host)).toEqual([new URL(base_url).host]);
      }
    },
  );

  it("take no address from the SDK's own variables", async () => {
    vi.stubEnv('OPENAI_API_KEY', 'planted');
    const fetched: string[] = [];
    vi.stubGlobal('fetch', async (url: string) => {
      fetched.push(String(url));
      return new Response('{}', { status: 404 });
    });
    vi.stubEnv('OPENAI_BASE_URL', 'https://evil.example/v1');
    await expect(ask({ provider: 'openai' })).rejects.toMatchObject({ kind: 'JudgeStopped' });
    vi.stubEnv('ANTHROPIC_API_KEY', 'planted');
    vi.stubEnv('ANTHROPIC_BASE_URL', 'https://evil.example/v1');
    await expect(ask({ provider: 'anthropic' })).rejects.toMatchObject({ kind: 'JudgeStopped' });
    vi.unstubAllGlobals();
    expect(fetched.map((url) => new URL(url).host)).toEqual([
      'api.openai.com',
      'api.anthropic.com',
    ]);
  });
});
