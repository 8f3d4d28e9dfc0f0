// The Node that package.json promises to importers, that bin/pinned-node.mjs looks for, and that the
// dependencies allow are the same.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { leastMajor, packageNames } from './pinned-node.mjs';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const manifest = read('package.json');

interface Locked {
  dev?: boolean;
  engines?: { node?: string };
}
const dependencies = Object.entries<Locked>(read('package-lock.json').packages).filter(
  ([path, { dev }]) => path !== '' && !dev,
);

/** Whether a range such as `^20.19.0 || ^22.13.0 || >=24` includes the first release of a major. */
function includes(range: string, major: number): boolean {
  return range.split('||').some((part) => {
    const [, operator, from, minor = '0'] = /^\s*(>=|\^|)\s*(\d+)(?:\.(\d+|\*))?/.exec(part) ?? [];
    if (operator === '>=' && Number(from) < major) return true;
    return Number(from) === major && (minor === '*' || Number(minor) === 0);
  });
}

it('is the same in `engines` as in the command', () => {
  expect(manifest.engines.node).toBe(`>=${leastMajor}`);
});

it.each(dependencies.filter(([, { engines }]) => engines?.node))('suits %s', (_, { engines }) => {
  expect(includes(engines!.node!, leastMajor), engines!.node).toBe(true);
});

it('is an optional dependency for every platform, at that major or a later one', () => {
  const pinned = Object.entries<string>(manifest.optionalDependencies);
  expect(pinned.map(([name]) => name).sort()).toEqual(Object.values(packageNames).sort());
  for (const [name, version] of pinned)
    expect(Number(version.split('.')[0]), name).toBeGreaterThanOrEqual(leastMajor);
});
