// An S3 server for the tests of one file.

import { afterAll, beforeAll, vi } from 'vitest';
import { s3Missing } from './s3-program.ts';
import { type S3Server, startS3Server } from './s3-server.ts';

/**
 * Start a server before the file's tests and stop it after them. Their environment has the settings
 * to use it. If there can be no server, `missing` is true and the console says why.
 */
export async function s3Suite(): Promise<{ missing: boolean; readonly server: S3Server }> {
  const why = await s3Missing();
  if (why) console.warn(`skipped: ${why}`);
  let server: S3Server | undefined;
  beforeAll(async () => {
    if (why) return;
    server = await startS3Server();
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  }, 900_000);
  afterAll(() => server?.close(), 120_000);
  return {
    missing: why !== null,
    get server() {
      return server!;
    },
  };
}
