// A Python script to compare the engine with, run by the Python in ANNEAL_PYTHON:
//   ANNEAL_PYTHON=/path/to/python npm run bench -- engine
// That Python needs the packages that the script imports. It answers one request at a time, so that
// its rounds alternate with ours.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** One line of JSON in, one line out. The script's standard error is shown. */
export class Peer {
  readonly #script: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(python: string, script: string, args: string[]) {
    this.#script = script;
    const file = fileURLToPath(new URL(script, import.meta.url));
    this.#child = spawn(python, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Start a script of this folder. Undefined if ANNEAL_PYTHON is not set. */
  static async start(script: string, ...args: string[]): Promise<Peer | undefined> {
    const python = process.env.ANNEAL_PYTHON;
    if (!python) return undefined;
    const peer = new Peer(python, script, args);
    await peer.#answer();
    return peer;
  }

  /** @throws Error if the script has exited. */
  async ask<T>(request: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return (await this.#answer()) as T;
  }

  close(): void {
    this.#child.stdin.end();
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done)
      throw new Error(
        `expected an answer from ${this.#script}, but it exited; its output is above`,
      );
    return JSON.parse(value);
  }
}
