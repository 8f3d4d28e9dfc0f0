// A TCP proxy that makes a server slow: data from callers arrives late, and while the proxy is on
// hold, nothing moves in either direction over connections that stay open.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SlowProxy {
  port: number;
  /** Move nothing. */
  stop(): void;
  /** Deliver the held data, and continue. */
  resume(): void;
  close(): Promise<void>;
}

/** Forward to a port of this machine, delayed by `latencyMs`. */
export async function startSlowProxy(target: number, latencyMs: number): Promise<SlowProxy> {
  let moving = Promise.resolve();
  let resume = () => {};
  const sockets = new Set<Socket>();

  /** Forward data in order. */
  function forward(from: Socket, to: Socket, delayMs: number): void {
    from.on('data', async (piece) => {
      await delay(delayMs);
      await moving;
      to.write(piece);
    });
    // If one side ends or breaks, the other ends after the data before it.
    from.on('error', () => {});
    from.on('close', async () => {
      sockets.delete(from);
      await delay(delayMs);
      await moving;
      to.end();
    });
    sockets.add(from);
  }

  const server = createServer((caller) => {
    const served = connect(target, '127.0.0.1');
    forward(caller, served, latencyMs);
    forward(served, caller, 0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      ({ promise: moving, resolve: resume } = Promise.withResolvers<void>());
    },
    resume: () => resume(),
    async close() {
      resume();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
