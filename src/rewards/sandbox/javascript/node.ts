// What programs have of Node beside its console: timers, events, standard input, a few modules. A
// program may change all of it, and nothing that decides a verdict depends on it.

/** Globals among them. */
export const nodeGlobals = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
  'structuredClone',
  'performance',
] as const;

/**
 * A function that makes them, as source.
 * `input` has `takeLine()`, null at the end, and `takeAll()`. Time does not pass: `fire()` runs the
 * next timer in the order of their times, and returns whether there was one.
 */
export const nodeSource = `(input) => {
  const timers = [];
  let now = 0;
  let made = 0;
  const schedule = (call, delay, values, repeats) => {
    const timer = {
      at: now + delay, id: ++made, call: () => call(...values), delay, repeats, holds: true,
      ref: () => { timer.holds = true; return timer; },
      unref: () => { timer.holds = false; return timer; },
      hasRef: () => timer.holds,
      [Symbol.toPrimitive]: () => timer.id,
    };
    insert(timer);
    return timer;
  };
  const insert = (timer) => {
    const after = timers.findIndex((other) => other.at > timer.at);
    timers.splice(after < 0 ? timers.length : after, 0, timer);
  };
  const clear = (given) => {
    const index = timers.findIndex((timer) => timer === given || timer.id === given);
    if (index >= 0) timers.splice(index, 1);
    if (typeof given === 'object' && given !== null) given.repeats = false;
  };
  const delayOf = (value) => Math.max(1, Math.trunc(Number(value)) || 1);
  const setImmediate = (call, ...values) => schedule(call, 0, values, false);
  const fire = () => {
    if (!timers.some(({ holds }) => holds)) return false;
    const timer = timers.shift();
    now = timer.at;
    timer.call();
    if (timer.repeats) {
      timer.at = now + timer.delay;
      insert(timer);
    }
    return true;
  };

  const clone = (value, seen = new Map()) => {
    if (typeof value === 'function' || typeof value === 'symbol')
      throw new Error(String(value) + ' could not be cloned.');
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => { seen.set(value, copy); return copy; };
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return keep(value.slice());
    if (value instanceof Map) {
      const copy = keep(new Map());
      for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      for (const item of value) copy.add(clone(item, seen));
      return copy;
    }
    const copy = keep(
      Array.isArray(value) ? new Array(value.length)
      : value instanceof Error ? Object.assign(new Error(value.message), { name: value.name })
      : {},
    );
    for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
    return copy;
  };

  class EventEmitter {
    #listeners = new Map();
    on(name, call) {
      this.#listeners.set(name, [...this.listeners(name), call]);
      return this;
    }
    once(name, call) {
      const single = (...values) => {
        this.off(name, single);
        return call.apply(this, values);
      };
      return this.on(name, single);
    }
    off(name, call) {
      const calls = this.listeners(name);
      const index = calls.lastIndexOf(call);
      this.#listeners.set(name, calls.filter((_, other) => other !== index));
      return this;
    }
    addListener(name, call) { return this.on(name, call); }
    removeListener(name, call) { return this.off(name, call); }
    removeAllListeners(name) {
      if (name === undefined) this.#listeners.clear();
      else this.#listeners.delete(name);
      return this;
    }
    emit(name, ...values) {
      const calls = this.listeners(name);
      if (name === 'error' && calls.length === 0) throw values[0];
      for (const call of calls) call.apply(this, values);
      return calls.length > 0;
    }
    listeners(name) { return [...(this.#listeners.get(name) ?? [])]; }
    listenerCount(name) { return this.listeners(name).length; }
    setMaxListeners() { return this; }
  }
  EventEmitter.EventEmitter = EventEmitter;

  class Stdin extends EventEmitter {
    fd = 0;
    isTTY = false;
    #flows = false;
    on(name, call) {
      super.on(name, call);
      if (name === 'data' || name === 'readable') this.resume();
      return this;
    }
    resume() {
      if (!this.#flows) setImmediate(() => this.#flow());
      this.#flows = true;
      return this;
    }
    #flow() {
      if (!this.emit('readable')) {
        const all = input.takeAll();
        if (all !== '') this.emit('data', all);
      }
      setImmediate(() => { this.emit('end'); this.emit('close'); });
    }
    read() { return input.takeAll() || null; }
    setEncoding() { return this; }
    pause() { return this; }
    ref() { return this; }
    unref() { return this; }
    async *[Symbol.asyncIterator]() {
      const all = input.takeAll();
      if (all !== '') yield all;
    }
  }

  class Interface extends EventEmitter {
    #output;
    #prompt;
    #asking = null;
    #reads = false;
    #closed = false;
    constructor({ output, prompt = '> ' } = {}) {
      super();
      this.#output = output;
      this.#prompt = prompt;
    }
    on(name, call) {
      super.on(name, call);
      if (name === 'line') this.#read();
      return this;
    }
    question(text, options, call = options) {
      this.#output?.write(text);
      this.#asking = call;
      this.#read();
    }
    #read() {
      if (!this.#reads) setImmediate(() => this.#next());
      this.#reads = true;
    }
    #next() {
      this.#reads = false;
      const line = input.takeLine();
      if (line === null) return this.close();
      const asking = this.#asking;
      this.#asking = null;
      if (asking) asking(line);
      else this.emit('line', line);
      if (this.#asking || this.listenerCount('line') > 0) this.#read();
    }
    close() {
      if (this.#closed) return;
      this.#closed = true;
      this.emit('close');
    }
    setPrompt(prompt) { this.#prompt = prompt; }
    prompt() { this.#output?.write(this.#prompt); }
    pause() { return this; }
    resume() { return this; }
    async *[Symbol.asyncIterator]() {
      for (let line; (line = input.takeLine()) !== null; ) yield line;
      this.close();
    }
  }
  class AskingInterface extends Interface {
    question(text) { return new Promise((resolve) => super.question(text, resolve)); }
  }
  const promises = { createInterface: (options) => new AskingInterface(options) };

  return {
    fire,
    stdin: new Stdin(),
    globals: {
      setTimeout: (call, delay, ...values) => schedule(call, delayOf(delay), values, false),
      setInterval: (call, delay, ...values) => schedule(call, delayOf(delay), values, true),
      setImmediate,
      clearTimeout: clear, clearInterval: clear, clearImmediate: clear,
      queueMicrotask: (call, ...values) => { Promise.resolve().then(() => call(...values)); },
      structuredClone: (value) => clone(value),
      performance: { now: () => now, timeOrigin: 0, mark() {}, measure() {} },
    },
    modules: {
      events: EventEmitter,
      readline: { createInterface: (options) => new Interface(options), promises },
      'readline/promises': promises,
      perf_hooks: { performance: { now: () => now } },
    },
  };
}`;
