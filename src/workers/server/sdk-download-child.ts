// The child process of sdk-download.ts: the SDK offers its download only as the first half of
// starting a test server, so it starts one and ends it.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { serve } from '../../process/serve.ts';
import { temporalVersion } from './binary.ts';

export interface DownloadMethods {
  /** Download into the folder given; gives the path of the binary. */
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
    if (!name) throw new Error(`the SDK reported a download, and ${folder} is empty`);
    return join(folder, name);
  },
});
