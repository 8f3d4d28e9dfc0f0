// llama.cpp for tests, as node-llama-cpp builds it: installed into the user's cache the first time.
// It is no dependency of the project, since its packages for GPUs take hundreds of megabytes.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from '../src/config/paths.ts';
import { installProgram } from '../src/workers/server/program-cache.ts';

const version = '3.22.1';
const platforms = ['linux-x64', 'linux-arm64', 'mac-x64', 'mac-arm64-metal', 'win-x64'];

/** The parts of node-llama-cpp that are used here. */
interface NodeLlamaCpp {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<LlamaModel> }>;
}
interface LlamaModel {
  tokenize(text: string, specialTokens: boolean): number[];
  createContext(options: object): Promise<{
    getSequence(): { evaluate(tokens: number[], options: object): AsyncIterable<number> };
  }>;
  dispose(): Promise<void>;
}

/** A model that llama.cpp has loaded. */
export interface LoadedGguf {
  /** Token ids of a text in which special tokens are recognised. */
  tokenize(text: string): number[];
  /** The most likely next tokens, one by one, also beyond a token that ends a text. */
  greedy(prompt: readonly number[], count: number): Promise<number[]>;
  close(): Promise<void>;
}

/** Opens GGUF files. @throws Error if it cannot be installed */
export async function llamaCpp(): Promise<(path: string) => Promise<LoadedGguf>> {
  const entry = pathToFileURL(join(await installed(), 'node_modules/node-llama-cpp/dist/index.js'));
  const { getLlama }: NodeLlamaCpp = await import(entry.href);
  const options = { gpu: false, build: 'never', skipDownload: true, logLevel: 'warn' };
  const llama = await getLlama(options);
  return async (modelPath) => {
    const model = await llama.loadModel({ modelPath });
    return {
      tokenize: (text) => [...model.tokenize(text, true)],
      close: () => model.dispose(),
      async greedy(prompt, count) {
        const context = await model.createContext({
          ...{ contextSize: 256, threads: 1, flashAttention: false },
          ...{ experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' },
        });
        const tokens: number[] = [];
        const sampling = { temperature: 0, yieldEogToken: true };
        for await (const token of context.getSequence().evaluate([...prompt], sampling))
          if (tokens.push(token) === count) break;
        return tokens;
      },
    };
  };
}

async function installed(): Promise<string> {
  const platform = process.platform.replace('darwin', 'mac').replace('win32', 'win');
  const name = platforms.find((it) => it.startsWith(`${platform}-${process.arch}`));
  const installation = join(cacheFolder(), 'node-llama-cpp', version);
  if (existsSync(installation)) return installation;
  const found = await installProgram(installation, async (folder) => {
    await writeFile(join(folder, 'package.json'), '{"private": true}\n');
    const packages = [`node-llama-cpp@${version}`, `@node-llama-cpp/${name}@${version}`];
    const flags = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
    console.log(`installing ${packages.join(' and ')} (about 85 MB) with npm`);
    await promisify(execFile)('npm', ['install', ...flags, ...packages], { cwd: folder });
    return folder;
  });
  if (typeof found === 'string') return found;
  throw new Error(`expected npm to install node-llama-cpp ${version}, found: ${found.reason}`);
}
