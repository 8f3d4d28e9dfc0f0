// The sessions of one model, by what each was built to do. Building one takes a tenth of a second
// or more and holds memory, so the few used last are kept.

import { Session, type SessionOptions } from './session.ts';

/** Where and with how many threads sessions run. */
export type SessionSettings = Pick<SessionOptions, 'device' | 'threads'>;

const kept = 8;

export class SessionCache {
  private readonly options: SessionOptions;
  /** Least lately used first. */
  private readonly sessions = new Map<string, Session>();

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** The session for `options`, whose graph `build` makes where there is none. */
  async get(options: unknown, build: () => Uint8Array): Promise<Session> {
    const key = JSON.stringify(options);
    const session = this.sessions.get(key) ?? (await Session.create(build(), this.options));
    this.sessions.delete(key);
    this.sessions.set(key, session);
    for (const [oldest, old] of this.sessions) {
      if (this.sessions.size <= kept) break;
      this.sessions.delete(oldest);
      await old.release();
    }
    return session;
  }

  /** Release every session. */
  async close(): Promise<void> {
    for (const session of this.sessions.values()) await session.release();
    this.sessions.clear();
  }
}
