// Ports for an embedded server: the well-known ones if they are free, or else any.

import { createServer } from 'node:net';

export interface Ports {
  port: number;
  uiPort: number;
}

/** Temporal's defaults, which its CLI and users expect. */
export const wellKnownPorts: Ports = { port: 7233, uiPort: 8233 };

export const host = '127.0.0.1';

/** `wanted` if both are free (0 means any port), or else two free ports. */
export async function freePorts(wanted: Ports): Promise<Ports> {
  const [port, uiPort] = [await probe(wanted.port), await probe(wanted.uiPort)];
  if (port && uiPort) return { port, uiPort };
  return { port: await anyPort(), uiPort: await anyPort() };
}

async function anyPort(): Promise<number> {
  const port = await probe(0);
  if (port) return port;
  throw new Error(`expected a free port on ${host}, found none`);
}

/** Listen on `port` (0 means any) for a moment. @returns its number, or null if it is in use */
function probe(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(null));
    server.listen(port, host, () => {
      const { port: taken } = server.address() as { port: number };
      server.close(() => resolve(taken));
    });
  });
}
