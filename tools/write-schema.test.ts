// The committed JSON Schema and configuration page match the current schema.

import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/config/paths.ts';
import { derivedFiles } from './write-schema.ts';

const files = await derivedFiles();

test.each([...files])(
  '%s is current (if not, run: node tools/write-schema.ts)',
  async (path, content) => {
    expect(await readFile(path, 'utf8'), relative(packageRoot, path)).toBe(content);
  },
);
