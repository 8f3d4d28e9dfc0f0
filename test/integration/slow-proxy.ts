// A TCP proxy in front of a server that is slow: what callers send arrives late, and for as long as
// it is told to, nothing moves in either direction over connections that stay open.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SlowProxy {
  port: number;
  /** Connections that callers closed before all that they had sent was handed on. */
  givenUp: number;
  /** Move nothing. */
  stop(): void;
  /** Move what was held, and go on. */
  resume(): void;
  close(): Promise<void>;
}

/** Serve what listens on a port of this machine, `latencyMs` late. */
export async function startSlowProxy(target: number, latencyMs: number): Promise<SlowProxy> {
  const state = { givenUp: 0 };
  let moving = Promise.resolve();
  let resume = () => {};
  const sockets = new Set<Socket>();

  /** Hand on what comes, in its order. @returns the number of pieces that wait */
  function forward(from: Socket, to: Socket, delayMs: number): () => number {
    let waiting = 0;
    from.on('data', async (piece) => {
      waiting++;
      await delay(delayMs);
      await moving;
      waiting--;
      to.write(piece);
    });
    // Whatever ends or breaks one side ends the other, after what came before.
    from.on('error', () => {});
    from.on('close', async () => {
      sockets.delete(from);
      await delay(delayMs);
      await moving;
      to.end();
    });
    sockets.add(from);
    return () => waiting;
  }

  const server = createServer((caller) => {
    const served = connect(target, '127.0.0.1');
    const waiting = forward(caller, served, latencyMs);
    forward(served, caller, 0);
    caller.on('close', () => {
      if (waiting() > 0) state.givenUp++;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
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
  });
}
