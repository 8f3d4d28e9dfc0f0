// Documents that a run reads back and changes, such as its metrics. No workflow knows their hash, so
// each has a copy that contains its own hash, from which a damaged or missing document is restored.

import { createHash } from 'node:crypto';
import type { Store } from './store.ts';

/** Path of a document's copy. */
export const copyOf = (path: string) => `.copies/${path}`;

/** Write a document and its copy. The copy comes first, because it is authoritative. */
export async function writeDocument(store: Store, path: string, text: string): Promise<void> {
  await store.write(copyOf(path), `${sha256Of(text)}\n${text}`);
  await store.write(path, text);
}

/**
 * The text of a document as it was written, from its copy; null if there is none. A document without
 * an intact copy, as earlier versions left it, is read without a check.
 */
export async function readVerified(store: Store, path: string): Promise<string | null> {
  return (await readCopy(store, path)) ?? store.readText(path);
}

/** Restore a document from its copy if it differs. @returns whether it did */
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
