// The way by building: Go compiles the pinned official module (tools/temporal), which needs only
// a module proxy. go.sum there pins every byte.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binaryName, cachedBinaryPath, installBinary, temporalVersion } from './binary.ts';
import { notFound, type ServerBinary, type ServerSource } from './found-server.ts';
import { compileGo, goVersion } from './go-tool.ts';

const moduleFolder = fileURLToPath(new URL('../../../tools/temporal', import.meta.url));
const command = 'github.com/temporalio/cli/cmd/temporal';
const version = `-X github.com/temporalio/cli/internal/temporalcli.Version=${temporalVersion}`;

/** A build by the `go` on the PATH, into the cache. */
export const goBuild: ServerSource<ServerBinary> = {
  name: 'a build by Go',
  async find({ env, log }) {
    const go = await goVersion(env);
    if (!go) return notFound('no `go` on the PATH');
    log(`building Temporal ${temporalVersion} with ${go}: 4 to 5 minutes on 2 cores, this once`);
    return installBinary(cachedBinaryPath(env), this.name, (folder) =>
      compileGo(
        { name: 'Temporal', moduleFolder, command, linkerFlags: version },
        join(folder, binaryName),
        { env, log },
      ),
    );
  },
};
