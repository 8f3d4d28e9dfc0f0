// Ports for an embedded server: the well-known ones where they are free, else any.

import { createServer } from 'node:net';

export interface Ports {
  port: number;
  uiPort: number;
}

/** Temporal's own defaults, which its CLI and its users expect. */
export const wellKnownPorts: Ports = { port: 7233, uiPort: 8233 };

export const host = '127.0.0.1';

/** `wanted` where both are free (0 is any port), else two that are. */
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

/** Listen on `port` (0 is any) for a moment: its number, or null where it is taken. */
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
