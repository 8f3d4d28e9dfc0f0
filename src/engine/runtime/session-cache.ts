// The sessions of one model, by what each was built to do. Building one takes a tenth of a second
// or more and holds memory, so the few used last are kept.

import { LruMap } from '../../collections/lru-map.ts';
import { Session, type SessionOptions } from './session.ts';

/** Where and with how many threads sessions run. */
export type SessionSettings = Pick<SessionOptions, 'device' | 'threads'>;

const kept = 8;

export class SessionCache {
  readonly #options: SessionOptions;
  readonly #sessions = new LruMap<string, Session>(kept);

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The session for `options`; if there is none yet, `build` makes its graph. */
  async get(options: unknown, build: () => Uint8Array): Promise<Session> {
    const key = JSON.stringify(options);
    const found = this.#sessions.get(key);
    if (found) return found;
    const session = await Session.create(build(), this.#options);
    for (const old of this.#sessions.set(key, session)) await old.release();
    return session;
  }

  /** Release every session. */
  async close(): Promise<void> {
    for (const session of this.#sessions.drain()) await session.release();
  }
}
