// The package as it would be published, unpacked into a project outside the checkout.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/config/paths.ts';

const shell = process.platform === 'win32';

/** Run a command. @returns its standard output @throws with all that it printed */
export async function execute(command: string, args: string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, shell, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as Error & { stdout: string; stderr: string };
    throw new Error(`${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}

export interface PackedFile {
  path: string;
  mode: number;
}

/** Build the package and pack it into `folder`. */
export async function pack(folder: string): Promise<{ tarball: string; files: PackedFile[] }> {
  await execute(process.execPath, ['tools/build.ts'], packageRoot);
  // .npmrc turns scripts off, so npm does not build it again.
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = Object.values(JSON.parse(await execute('npm', args, packageRoot))) as {
    filename: string;
    files: PackedFile[];
  }[];
  return { tarball: join(folder, packed!.filename), files: packed!.files };
}

/**
 * A copy of examples/own-worker with the package installed. Other packages come from the checkout,
 * one folder up, so that no registry is needed.
 */
export async function outsideProject(tarball: string): Promise<string> {
  const above = await mkdtemp(join(tmpdir(), 'anneal-outside-'));
  const project = join(above, 'project');
  await cp(join(packageRoot, 'examples/own-worker'), project, { recursive: true });
  await symlink(join(packageRoot, 'node_modules'), join(above, 'node_modules'), 'junction');
  const own = join(project, 'node_modules/anneal-rl');
  await mkdir(own, { recursive: true });
  await execute('tar', ['-xzf', tarball, '--strip-components=1', '-C', own], project);
  return project;
}
