// Documents that a run goes on to read after it wrote them, such as its metrics. No workflow knows
// their hash, for they change; so each has a copy with its own hash in it, and what is damaged or
// gone is made again from that.

import { createHash } from 'node:crypto';
import type { Store } from './store.ts';

/** Where the copy of a document lies. */
export const copyOf = (path: string) => `.copies/${path}`;

/** Write a document and its copy. The copy comes first: it is the one that counts. */
export async function writeDocument(store: Store, path: string, text: string): Promise<void> {
  await store.write(copyOf(path), `${sha256Of(text)}\n${text}`);
  await store.write(path, text);
}

/**
 * The text of a document as it was written, whatever became of it since; null where there is none.
 * One without a whole copy, as earlier versions left it, is taken as it is.
 */
export async function readVerified(store: Store, path: string): Promise<string | null> {
  return (await readCopy(store, path)) ?? store.readText(path);
}

/** Write a document again from its copy where it differs. @returns whether it did */
export async function mendDocument(store: Store, path: string): Promise<boolean> {
  const copy = await readCopy(store, path);
  if (copy === null || copy === (await store.readText(path))) return false;
  await store.write(path, copy);
  return true;
}

async function readCopy(store: Store, path: string): Promise<string | null> {
  const [, hash, text] =
    /^([0-9a-f]{64})\n(.*)$/s.exec((await store.readText(copyOf(path))) ?? '') ?? [];
  return text !== undefined && sha256Of(text) === hash ? text : null;
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
