import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { joinAddress, parseS3Url, resolveAddress, splitAddress } from './address.ts';

it.each([
  ['s3://runs', 's3://runs'],
  ['s3://runs/', 's3://runs'],
  ['s3://runs/a/b/', 's3://runs/a/b'],
  ['runs', resolve('runs')],
])('resolves %s', (typed, address) => {
  expect(resolveAddress(typed)).toBe(address);
});

it.each(['s3://', 's3://Runs/a', 's3://runs//a', 's3://runs/../a'])('rejects %s', (typed) => {
  expect(() => resolveAddress(typed)).toThrow(`found '${typed}'`);
});

it('splits and joins addresses', () => {
  expect(parseS3Url('s3://runs/a/b')).toEqual({ bucket: 'runs', prefix: 'a/b' });
  expect(parseS3Url('s3://runs')).toEqual({ bucket: 'runs', prefix: '' });
  expect(joinAddress('s3://runs', 'try-1', 'config.json')).toBe('s3://runs/try-1/config.json');
  expect(splitAddress('s3://runs/try-1/checkpoints/epoch-03')).toEqual({
    run: 's3://runs/try-1',
    path: 'checkpoints/epoch-03',
  });
});
