// The child process of sdk-download.ts. The SDK downloads only to start a test server, so this
// starts one and ends it.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { serve } from '../../process/serve.ts';
import { temporalVersion } from './binary.ts';

export interface DownloadMethods {
  /** Download into a folder; returns the path of the binary. */
  download: { payload: string; result: string; progress: never };
}

serve<DownloadMethods>({
  async download(folder) {
    const executable = {
      type: 'cached-download',
      downloadDir: folder,
      version: `v${temporalVersion}`,
    } as const;
    const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
    await environment.teardown();
    const [name] = await readdir(folder);
    if (!name) throw new Error(`the SDK reported a download, but ${folder} is empty`);
    return join(folder, name);
  },
});
