import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RecentOutput } from './recent-output.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());
const minute = 60_000;

it('says what was written just before', () => {
  const output = new RecentOutput();
  output.add('warming up\n');
  vi.advanceTimersByTime(20 * minute);
  output.add('first words, ');
  vi.advanceTimersByTime(9000);
  output.add('last words\n');
  expect(output.describe()).toBe('its last output:\nfirst words, last words');
});

it('does not show what was written 20 minutes before', () => {
  const output = new RecentOutput();
  output.add('a warning about nothing\n');
  vi.advanceTimersByTime(20 * minute);
  expect(output.describe()).toBe('it wrote nothing at its end (the last 20 min before)');
  expect(output.text).toBe('');
});

it('says that nothing was written', () => {
  expect(new RecentOutput().describe()).toBe('it wrote nothing to stdout or stderr');
});

it('shows what a process wrote since its last sign of life, however long ago', () => {
  const output = new RecentOutput();
  output.add('early');
  vi.advanceTimersByTime(minute);
  output.noteLife();
  output.add('stuck in a loop');
  vi.advanceTimersByTime(60 * minute);
  expect(output.text).toBe('stuck in a loop');
  output.noteLife();
  vi.advanceTimersByTime(minute);
  expect(output.text).toBe('');
});

it('keeps the last 2,000 characters, in pieces of any size', () => {
  const output = new RecentOutput();
  for (let piece = 0; piece < 5000; piece++) output.add(String(piece % 10));
  expect(output.text).toBe('0123456789'.repeat(200));
  output.add('x'.repeat(100_000));
  expect(output.text).toBe('x'.repeat(2000));
});

it('reads characters that arrive in two pieces', async () => {
  const stream = new PassThrough();
  const output = new RecentOutput();
  output.follow(stream);
  const bytes = Buffer.from('größer');
  for (let at = 0; at < bytes.length; at += 3) stream.write(bytes.subarray(at, at + 3));
  stream.end();
  await new Promise((resolve) => stream.once('end', resolve));
  expect(output.text).toBe('größer');
});
