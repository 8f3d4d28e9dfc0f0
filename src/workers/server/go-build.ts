// The build by Go, which takes minutes: it compiles the official module and needs only a module
// proxy. go.sum in tools/temporal pins every byte.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binaryName, cachedBinaryPath, installBinary, temporalVersion } from './binary.ts';
import { notFound, type ServerBinary, type ServerSource } from './found-server.ts';
import { compileGo, goVersion } from './go-tool.ts';

const moduleFolder = fileURLToPath(new URL('../../../tools/temporal', import.meta.url));
const command = 'github.com/temporalio/cli/cmd/temporal';
const version = `-X github.com/temporalio/cli/internal/temporalcli.Version=${temporalVersion}`;

/** The binary that the `go` on the PATH builds, into the cache. */
export const goBuild: ServerSource<ServerBinary> = {
  name: 'a build by Go',
  async find({ env, log }) {
    const go = await goVersion(env);
    if (!go) return notFound('no `go` on the PATH');
    log(
      `building Temporal ${temporalVersion} with ${go}; on 2 cores this takes 4 to 5 minutes, once`,
    );
    return installBinary(cachedBinaryPath(env), this.name, (folder) =>
      compileGo(
        { name: 'Temporal', moduleFolder, command, linkerFlags: version },
        join(folder, binaryName),
        { env, log },
      ),
    );
  },
};
