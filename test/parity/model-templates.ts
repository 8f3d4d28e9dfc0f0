// The chat templates of real models, as the package @huggingface/ollama-utils (MIT, by Hugging Face)
// has collected them; nothing of them is stored here. Run as a program, it prints them as JSON.

import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

interface ModelTemplate {
  /** A model's name and one of its sizes. */
  model: string;
  /** Its chat template. */
  gguf: string;
}

/** Templates by model. */
export async function modelTemplates(): Promise<Record<string, string>> {
  const main = createRequire(import.meta.url).resolve('@huggingface/ollama-utils');
  const source = join(dirname(main), '../src/chat-template-automap.ts');
  const code = stripTypeScriptTypes(readFileSync(source, 'utf8'));
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
    OLLAMA_CHAT_TEMPLATE_MAPPING: ModelTemplate[];
  };
  const pairs = module.OLLAMA_CHAT_TEMPLATE_MAPPING.map(({ model, gguf }) => [
    model.replace('library/', ''),
    gguf,
  ]);
  return Object.fromEntries(pairs);
}

if (import.meta.main) process.stdout.write(JSON.stringify(await modelTemplates()));
