import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { isAlive } from './pollers.ts';

const now = 1_000_000;

test('a worker of this machine is looked up by its process id', () => {
  const ended = spawnSync(process.execPath, ['--version']).pid;
  expect(isAlive(`${process.pid}@${hostname()}`, now, now)).toBe(true);
  expect(isAlive(`${ended}@${hostname()}`, now, now)).toBe(false);
});

test('a worker elsewhere counts as alive while it polls', () => {
  expect(isAlive('7@elsewhere', now - 60_000, now)).toBe(true);
  expect(isAlive('7@elsewhere', now - 80_000, now)).toBe(false);
});
