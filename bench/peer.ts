// Torch and transformers on the same machine, where a Python that has them is at hand:
// ANNEAL_PYTHON=/path/to/python npm run bench -- engine. Requests go to peers.py one at a time,
// so that its rounds alternate with the engine's.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface PeerRequest {
  rollout?: number;
  train?: number;
  autocast?: boolean;
}

export class Peer {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: AsyncIterator<string>;

  private constructor(python: string, model: string) {
    const script = fileURLToPath(new URL('./peers.py', import.meta.url));
    this.child = spawn(python, [script, model], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Undefined where no Python is named. */
  static async start(model: string): Promise<Peer | undefined> {
    const python = process.env.ANNEAL_PYTHON;
    if (!python) return undefined;
    const peer = new Peer(python, model);
    await peer.answer();
    return peer;
  }

  /** Tokens a second of one round. */
  async rate(request: PeerRequest): Promise<number> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { tokens, seconds } = await this.answer();
    return tokens / seconds;
  }

  close(): void {
    this.child.stdin.end();
  }

  private async answer() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error('peers.py ended; run it by hand to see why');
    return JSON.parse(value) as { tokens: number; seconds: number };
  }
}
