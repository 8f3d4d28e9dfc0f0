// Encodes texts in a process of its own, which a tokenizer may break or hold without harm to this
// one. encoder-process.ts is the other end.

import { createHash } from 'node:crypto';
import { Turns } from '../../collections/turns.ts';
import { AnnealError } from '../../errors.ts';
import { ChildService, entryUrl } from '../../process/child-service.ts';
import type { EncoderMethods, SentTokenizer } from './encoder-process.ts';

/** Texts of one call. */
const textsPerCall = 256;
/** Many times what a call needs on a busy machine. */
const stallMs = 10 * 60_000;

const service = new ChildService<EncoderMethods>({
  entry: entryUrl(import.meta.url, './encoder-process'),
  name: 'tokenizer',
  env: {},
});

/** One call at a time: whose text ended the process is certain then. */
const turns = new Turns();

export type Encoder = (texts: readonly string[]) => Promise<number[][]>;

/**
 * An encoder by the tokenizer in `path`.
 * @throws AnnealError InvalidModel naming the file if the tokenizer cannot be read; the encoder
 * throws it if the tokenizer fails on a text
 */
export async function createEncoder(path: string, tokenizer: SentTokenizer): Promise<Encoder> {
  const { json, added } = tokenizer;
  const key = createHash('sha256').update(json).update(JSON.stringify(added)).digest('hex');
  const ask = async (texts: string[]) => {
    const found = await service.call('encode', { key, texts }, { stallMs });
    return found ?? (await service.call('encode', { key, tokenizer, texts }, { stallMs }))!;
  };
  const encode: Encoder = async (texts) => {
    const rows: number[][] = [];
    for (let start = 0; start < texts.length; start += textsPerCall) {
      const part = texts.slice(start, start + textsPerCall).map((text) => text.toWellFormed());
      rows.push(...(await turns.run(() => ask(part))));
    }
    return rows;
  };
  await encode(['']).catch((cause) => {
    throw refusal(path, 'cannot be read', cause);
  });
  return (texts) =>
    encode(texts).catch((cause) => {
      throw refusal(path, 'fails on a text', cause);
    });
}

/** What the library prints before it ends its process. */
const panic = /panicked at .*\n(.*)/;

/** The error for a tokenizer; other errors of the process as they are, since a retry may help. */
function refusal(path: string, how: string, cause: Error): Error {
  const kind = cause instanceof AnnealError ? cause.kind : undefined;
  const isLost = kind === 'ProcessLost' && !panic.test(cause.message);
  if (isLost || kind === 'OutOfMemory') return cause;
  const reason =
    kind === 'ProcessStalled'
      ? 'it takes too long'
      : withoutValues(panic.exec(cause.message)?.[1] ?? cause.message);
  return new AnnealError(
    'InvalidModel',
    `${path}: expected a tokenizer as Hugging Face's tokenizers saves it, found one that ${how}: ${reason}. Take the file from the model's own folder, or save it anew with transformers.`,
    kind && { cause },
  );
}

/** Without what the message quotes of the file. */
function withoutValues(message: string): string {
  return message.replaceAll(/(string|variant|field) ([`"]).*?\2/g, '$1');
}
