import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowedByEnvironment, InputRoots } from './input-roots.ts';

let folder: string;
let roots: InputRoots;
const at = (path: string) => join(folder, path);
beforeAll(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'anneal-roots-'));
  for (const name of ['in/deep', 'in-beside', 'out/deep']) mkdirSync(at(name), { recursive: true });
  for (const name of ['in/deep/file', 'in-beside/file', 'out/file', 'single'])
    writeFileSync(at(name), '');
  symlinkSync(at('out'), at('in/link-out'));
  symlinkSync(at('out/file'), at('in/file-link-out'));
  symlinkSync(at('none'), at('in/dangling'));
  symlinkSync('deep', at('in/link-in'));
  symlinkSync(at('in'), at('root-link'));
  roots = new InputRoots([at('in'), at('single'), at('later'), 's3://bucket/prefix']);
});
afterAll(() => rmSync(folder, { recursive: true }));

const refusal = (path: string, from = roots) => {
  try {
    from.require(path, 'prompts.train');
    return null;
  } catch (error) {
    expect(error).toMatchObject({ kind: 'InvalidConfig' });
    return (error as Error).message;
  }
};

describe('a path is allowed', () => {
  it.each(['in', 'in/deep/file', 'in/link-in/file', 'single', 'in/none', 'root-link/deep/file'])(
    'at or below a root: %s',
    (path) => expect(refusal(at(path))).toBeNull(),
  );

  it.each(['s3://bucket/prefix', 's3://bucket/prefix/run/checkpoints/epoch-01'])(
    'in an object store: %s',
    (address) => expect(refusal(address)).toBeNull(),
  );

  it('below a root that is a link, or the whole disk', () => {
    expect(refusal(at('in/deep/file'), new InputRoots([at('root-link')]))).toBeNull();
    expect(refusal(at('out/file'), new InputRoots(['/']))).toBeNull();
  });

  it('below a root that did not exist at first', () => {
    mkdirSync(at('later/deep'), { recursive: true });
    expect(refusal(at('later/deep'))).toBeNull();
  });

  it('relative to the current folder', () => {
    expect(refusal('package.json', new InputRoots([process.cwd()]))).toBeNull();
    expect(refusal('../..', new InputRoots([process.cwd()]))).not.toBeNull();
  });
});

describe('a path is refused, and the setting is named', () => {
  it.each([
    ...['out/file', 'in/../out/file', 'in-beside/file', 'single/../out/file', 'out/none'],
    ...['in/link-out/file', 'in/link-out', 'in/file-link-out', 'in/link-out/none', '..'],
  ])('outside of the roots: %s', (path) => {
    expect(refusal(at(path))).toMatch(/^prompts\.train: .*--allow-path or ANNEAL_ALLOW_PATHS/);
  });

  it.each([
    's3://bucket',
    's3://bucket/prefix-2/run',
    's3://other/prefix/run',
    's3://bucket/prefix/..',
    's3:///in',
  ])('in an object store: %s', (address) => expect(refusal(address)).not.toBeNull());

  it('in the same words whether it exists or not', () => {
    const [there, missing] = [at('out/file'), at('out/none')];
    expect(refusal(there)!.replace(there, '')).toBe(refusal(missing)!.replace(missing, ''));
  });
});

it('resolves what is there, and says of an allowed path that nothing is', () => {
  expect(roots.resolve(at('in/deep/file'), 'model.path')).toBe(at('in/deep/file'));
  expect(() => roots.resolve(at('in/none'), 'model.path')).toThrow(/model\.path: .* to exist/);
  expect(() => roots.resolve(at('in/dangling'), 'model.path')).toThrow(/to exist/);
});

it('reads paths and addresses from the environment', () => {
  const read = (value?: string) => allowedByEnvironment({ ANNEAL_ALLOW_PATHS: value });
  expect(read()).toEqual([]);
  expect(read('/data')).toEqual(['/data']);
  expect(read('/data:s3://bucket/a:/models::')).toEqual(['/data', 's3://bucket/a', '/models']);
});
