// The sessions of one model, by the options of their graphs. Creating one takes a tenth of a second
// or more and holds memory, so only the most recently used are kept.

import { LruMap } from '../../collections/lru-map.ts';
import { Session, type SessionOptions } from './session.ts';

/** The device and number of threads that sessions run with. */
export type SessionSettings = Pick<SessionOptions, 'device' | 'threads'>;

const maxSessions = 8;

export class SessionCache {
  readonly #options: SessionOptions;
  readonly #sessions = new LruMap<string, Session>(maxSessions);

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The session for `options`. If there is none yet, `build` builds its graph. */
  async get(options: unknown, build: () => Uint8Array): Promise<Session> {
    const key = JSON.stringify(options);
    const found = this.#sessions.get(key);
    if (found) return found;
    const session = await Session.create(build(), this.#options);
    for (const old of this.#sessions.set(key, session)) await old.release();
    return session;
  }

  /** Release all sessions. */
  async close(): Promise<void> {
    for (const session of this.#sessions.drain()) await session.release();
  }
}
