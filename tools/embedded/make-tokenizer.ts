// Trains the embedded policy's tokenizer on the pretraining corpus and writes its two files.
// Usage: node tools/embedded/make-tokenizer.ts [--out models/policy] [--seed 1]

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pretrainingCorpus } from './corpus.ts';
import { tokenizerConfig, tokenizerJson, trainBpe } from './train-bpe.ts';

const { values: flags } = parseArgs({
  options: {
    out: { type: 'string', default: 'models/policy' },
    seed: { type: 'string', default: '1' },
  },
});

/** More examples change no important merge. */
const examples = 8000;
/** 1,024 less the two special tokens. Programs are a quarter shorter than with 512. */
const size = 1022;

const texts = pretrainingCorpus(Number(flags.seed), examples).map((e) => e.prompt + e.completion);
const bpe = trainBpe(texts, size);
await mkdir(flags.out, { recursive: true });
const write = (file: string, content: object) =>
  writeFile(join(flags.out, file), `${JSON.stringify(content, null, 2)}\n`);
await write('tokenizer.json', tokenizerJson(bpe));
await write('tokenizer_config.json', tokenizerConfig);
console.log(`${bpe.vocabulary.length + 2} tokens in ${flags.out}`);
