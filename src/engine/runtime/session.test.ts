import { expect, it } from 'vitest';
import { Session } from './session.ts';

const broken = Uint8Array.of(1);

it('names the device whose provider refuses a graph', async () => {
  const attempt = Session.create(broken, { device: 'cpu', threads: 1 });
  await expect(attempt).rejects.toMatchObject({ kind: 'InvalidModel' });
  await expect(attempt).rejects.toThrow(/for device 'cpu': (?!.* needs )/);
});

it('says what the machine must have for another device', async () => {
  const attempt = Session.create(broken, { device: 'cuda', threads: 1 });
  await expect(attempt).rejects.toThrow(/for device 'cuda': .*; CUDA needs an NVIDIA GPU/s);
});
