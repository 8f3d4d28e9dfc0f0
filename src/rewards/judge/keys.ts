// Which keys a worker gives to judges, and where it sends each. Whoever may start a run writes its
// run file, so a run file alone must not choose a variable of the worker's environment and an address
// to send it to.

import type { JudgeConfig } from '../../config/schema/rewards/judge.ts';
import { AnnealError } from '../../errors.ts';

/** Variables that services document for their keys, and the hosts of those services. */
const documented: Readonly<Record<string, string>> = {
  ANTHROPIC_API_KEY: 'api.anthropic.com',
  DEEPSEEK_API_KEY: 'api.deepseek.com',
  FIREWORKS_API_KEY: 'api.fireworks.ai',
  GEMINI_API_KEY: 'generativelanguage.googleapis.com',
  GROQ_API_KEY: 'api.groq.com',
  MISTRAL_API_KEY: 'api.mistral.ai',
  OPENAI_API_KEY: 'api.openai.com',
  OPENROUTER_API_KEY: 'openrouter.ai',
  TOGETHER_API_KEY: 'api.together.xyz',
};

/** Default address and variable of each provider; self-hosted services need no key. */
const providers: Record<JudgeConfig['provider'], { url: string | null; key: string | null }> = {
  'openai-compatible': { url: null, key: null },
  openai: { url: 'https://api.openai.com/v1', key: 'OPENAI_API_KEY' },
  anthropic: { url: 'https://api.anthropic.com/v1', key: 'ANTHROPIC_API_KEY' },
};

/** Names more keys and hosts: `NAME=host[,host…]`, separated by spaces. */
const variable = 'ANNEAL_JUDGE_KEYS';

type Service = Pick<JudgeConfig, 'name' | 'provider' | 'base_url' | 'api_key_env'>;

/** The address that a judge's requests go to. */
export function addressOf({ provider, base_url }: Service): string {
  return base_url ?? providers[provider].url!;
}

/** The environment variable of a judge's key; null if it sends none. */
export function keyNameOf({ provider, api_key_env }: Service): string | null {
  return api_key_env ?? providers[provider].key;
}

/**
 * Check that this worker sends the judge's key to the judge's address.
 * @throws AnnealError InvalidConfig naming the variable to set
 */
export function checkKeyUse(service: Service, env: NodeJS.ProcessEnv = process.env): void {
  const refusal = refusalOf(service, env);
  if (refusal !== null)
    throw new AnnealError('InvalidConfig', `rewards: '${service.name}': ${refusal}.`);
}

/** Why this worker does not send the judge's key to the judge's address; null if it does. */
export function refusalOf(service: Service, env: NodeJS.ProcessEnv = process.env): string | null {
  const name = keyNameOf(service);
  if (name === null) return null;
  const hosts = hostsOf(name, env);
  if (hosts === null) return malformed;
  const url = new URL(addressOf(service));
  if (hosts.some((host) => mayReceive(host, url))) return null;
  const secure = url.protocol === 'https:' || isLoopback(url.hostname);
  const entry = `${name}=${secure ? '' : 'http://'}${url.host}`;
  return `expected a key and a host that this worker allows, found the variable ${name} and ${url.origin}. If that host may have this key, start all workers with ${variable}="${entry}"`;
}

/** Whether keys sent to an allowed host are safe at an address. Without a port, any will do. */
function mayReceive(host: URL, url: URL): boolean {
  if (host.hostname !== url.hostname || (host.port !== '' && host.port !== url.port)) return false;
  return url.protocol === 'https:' || host.protocol === 'http:' || isLoopback(url.hostname);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** The hosts that a key may go to; null if ANNEAL_JUDGE_KEYS is not valid. */
function hostsOf(name: string, env: NodeJS.ProcessEnv): URL[] | null {
  const given = (env[variable] ?? '').split(/\s+/).filter((entry) => entry !== '');
  const named = given.flatMap((entry) => {
    const [, key, hosts] = /^([A-Z_][A-Z0-9_]*)=([^=]+)$/.exec(entry) ?? [];
    const urls = hosts?.split(',').map(hostUrl) ?? [null];
    return urls.filter((url) => url === null || key === name);
  });
  const usual = Object.hasOwn(documented, name) ? [hostUrl(documented[name]!)] : [];
  const all = [...usual, ...named];
  return all.every((url) => url !== null) ? all : null;
}

/** A host with or without port; `http://` in front allows it without TLS. Null if it is not one. */
function hostUrl(host: string): URL | null {
  const url = URL.parse(/^https?:\/\//.test(host) ? host : `https://${host}`);
  const isOnlyHost = url && `${url.protocol}//${url.host}/` === url.href && !host.includes('*');
  return isOnlyHost ? url : null;
}

/** Does not quote the value: a key may stand there by mistake. */
const malformed = `${variable}: expected NAME=host[,host…] entries separated by spaces, such as "JUDGE_KEY=judge.example:8000 OPENAI_API_KEY=eu.api.openai.com", found something else. It names variables and hosts, and never holds a key; start all workers with a valid one`;
