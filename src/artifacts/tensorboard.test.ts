import { expect, it } from 'vitest';
import { encodeEvents } from './tensorboard.ts';

it('writes records of events, each with its checksums', () => {
  const bytes = Buffer.from(encodeEvents([{ tag: 'epoch/reward', step: 3, value: 0.5 }]));
  const length = Number(bytes.readBigUInt64LE(0));
  expect(bytes.subarray(12, 12 + length).toString('latin1')).toBe('\x1a\rbrain.Event:2');
  const second = 16 + length;
  const event = bytes.subarray(second + 12, bytes.length - 4);
  expect(Number(bytes.readBigUInt64LE(second))).toBe(event.length);
  expect(event.includes('epoch/reward')).toBe(true);
});

it('computes checksums like TensorFlow: the masked CRC-32C of the length 15', () => {
  const bytes = Buffer.from(encodeEvents([]));
  expect(bytes.readBigUInt64LE(0)).toBe(15n);
  // From the first twelve bytes of a file by TensorBoard's own writer.
  expect(bytes.subarray(8, 12).toString('hex')).toBe('6d532b09');
});
