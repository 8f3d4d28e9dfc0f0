import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { EncryptionCodec } from './encryption-codec.ts';
import { readPayloadKeys } from './keys.ts';

const newKey = () => randomBytes(32).toString('base64');
const [old, recent] = [newKey(), newKey()];
const codecOf = (keys: string) =>
  new EncryptionCodec(readPayloadKeys({ ANNEAL_PAYLOAD_KEYS: keys }));
const value = { prompt: 'planted plain text', nested: [1, null, 'ß'] };
const payload = (): Payload => defaultPayloadConverter.toPayload(value)!;
const textIn = ([decoded]: Payload[]) => defaultPayloadConverter.fromPayload(decoded!);

describe('the codec', () => {
  const codec = codecOf(`a:${old}`);

  it('decrypts what it encrypted, and leaves nothing readable', async () => {
    const [encrypted] = await codec.encode([payload()]);
    expect(Buffer.from(encrypted!.data!).toString('latin1')).not.toContain('planted');
    expect(textIn(await codec.decode([encrypted!]))).toEqual(value);
  });

  it('encrypts the same payload to different bytes each time', async () => {
    const [one, other] = await codec.encode([payload(), payload()]);
    expect(one!.data).not.toEqual(other!.data);
  });

  it('rejects a payload with a changed byte or a missing end', async () => {
    const [encrypted] = await codec.encode([payload()]);
    const { data } = encrypted!;
    for (let i = 0; i < data!.length; i++) {
      const changed = Buffer.from(data!);
      changed[i]! ^= 1;
      const kind = 'DamagedArtifact';
      await expect(codec.decode([{ ...encrypted!, data: changed }])).rejects.toMatchObject({
        kind,
      });
      const cut = { ...encrypted!, data: data!.subarray(0, i) };
      await expect(codec.decode([cut])).rejects.toMatchObject({ kind });
    }
  });

  it('rejects another key with the same id, and names a missing key', async () => {
    const encrypted = await codec.encode([payload()]);
    await expect(codecOf(`a:${recent}`).decode(encrypted)).rejects.toThrow("the key 'a'");
    await expect(codecOf(`b:${old}`).decode(encrypted)).rejects.toThrow(
      "encrypted with the key 'a', and the keys here are: 'b'. Add that key",
    );
  });

  it('encrypts with the first key and decrypts with all, so that keys can be rotated', async () => {
    const rotated = codecOf(`b:${recent},a:${old}`);
    expect(textIn(await rotated.decode(await codec.encode([payload()])))).toEqual(value);
    const encrypted = await rotated.encode([payload()]);
    expect(textIn(await codecOf(`b:${recent}`).decode(encrypted))).toEqual(value);
    await expect(codec.decode(encrypted)).rejects.toThrow("the key 'b'");
  });

  it('without keys changes no payload, and names the key that an encrypted one needs', async () => {
    const bare = new EncryptionCodec(readPayloadKeys({}));
    expect(await bare.encode([payload()])).toEqual([payload()]);
    expect(textIn(await bare.decode([payload()]))).toEqual(value);
    const encrypted = await codec.encode([payload()]);
    await expect(bare.decode(encrypted)).rejects.toThrow('the keys here are: none');
  });

  it('reads payloads from before encryption was switched on', async () => {
    expect(textIn(await codec.decode([payload()]))).toEqual(value);
  });
});

describe('the keys', () => {
  it('come from a file too, with comments and blank lines', () => {
    const folder = mkdtempSync(join(tmpdir(), 'anneal-keys-'));
    const path = join(folder, 'keys');
    writeFileSync(path, `# of November\n\nb:${recent}\r\na:${old}\n`);
    const keys = readPayloadKeys({ ANNEAL_PAYLOAD_KEYS_FILE: path });
    expect([...keys.keys()]).toEqual(['b', 'a']);
    rmSync(folder, { recursive: true });
  });

  const short = randomBytes(16).toString('base64');
  it.each([
    ['of another length', `a:${short}`, 'expected 32 bytes, got 16'],
    ['without an id', old, 'not of the form ID:KEY'],
    ['of one id twice', `a:${old},a:${recent}`, 'appears twice'],
    ['none', ' , ', 'found none'],
  ])('%s: rejected, and not shown', (_, text, why) => {
    const read = () => readPayloadKeys({ ANNEAL_PAYLOAD_KEYS: text });
    expect(read).toThrow(why);
    expect(read).not.toThrow(old);
    expect(read).not.toThrow(short);
  });

  it('are rejected from two places, and from a missing file', () => {
    const both = { ANNEAL_PAYLOAD_KEYS: `a:${old}`, ANNEAL_PAYLOAD_KEYS_FILE: 'keys' };
    expect(() => readPayloadKeys(both)).toThrow('unset one');
    const missing = { ANNEAL_PAYLOAD_KEYS_FILE: join(tmpdir(), 'no-such-file') };
    expect(() => readPayloadKeys(missing)).toThrow('ENOENT');
  });
});
