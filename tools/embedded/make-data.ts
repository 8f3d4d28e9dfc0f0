// Writes data/train.jsonl and data/held-out.jsonl. Part of `npm run make:policy`.

import { writeFile } from 'node:fs/promises';
import { promptFiles } from './prompts.ts';

for (const [name, content] of Object.entries(promptFiles())) {
  const file = new URL(`../../data/${name}`, import.meta.url);
  await writeFile(file, content);
  console.log(`${content.trimEnd().split('\n').length} prompts in data/${name}`);
}
