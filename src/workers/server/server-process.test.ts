import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePorts } from './ports.ts';
import { launchServer } from './server-process.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'anneal-server-'));
  writeFileSync(join(dataDir, 'server.log'), 'what an earlier server wrote\n');
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function launch(program: string): Promise<Error> {
  const binary = join(dataDir, 'temporal');
  writeFileSync(binary, `#!/bin/sh\n${program}\n`, { mode: 0o700 });
  const ports = await freePorts({ port: 0, uiPort: 0 });
  return launchServer({ binary, dataDir, ports, log: () => {} }).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

it('shows the end of what a server that failed wrote itself', async () => {
  const { message } = await launch('for i in 1 2 3 4 5 6; do echo "line $i" >&2; done; exit 3');
  expect(message).toMatch(/it ended with 3\. The end of .*server\.log:\nline 2\n(.*\n){3}line 6$/);
});

it('says that a server that failed wrote nothing', async () => {
  const { message } = await launch('exit 3');
  expect(message).toMatch(/it ended with 3\. It wrote nothing to .*server\.log\.$/);
});
