// The part of Node's `assert` that tests of functions use, as source. Tests have their own, in a realm
// that programs never reach.

/** A function that makes the module. */
export const assertSource = `() => {
  class AssertionError extends Error {
    name = 'AssertionError';
  }
  const show = (value) => {
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  };
  const fail = (message, otherwise) => {
    if (message instanceof Error) throw message;
    throw new AssertionError(message ?? otherwise);
  };
  const isObject = (value) => typeof value === 'object' && value !== null;
  const loosely = (a, b) => a == b || (a !== a && b !== b);
  /** Deep equality as Node's assert has it, by \`same\` for what is no object. */
  const isDeep = (a, b, same, open = []) => {
    if (!isObject(a) || !isObject(b)) return same(a, b);
    if (Object.is(a, b) || open.some(([left, right]) => left === a && right === b)) return true;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (a instanceof Date && a.getTime() !== b.getTime()) return false;
    if (Array.isArray(a) !== Array.isArray(b) || a.length !== b.length || a.size !== b.size) return false;
    const isEqual = (left, right) => isDeep(left, right, same, [...open, [a, b]]);
    if (a instanceof Set) return [...a].every((item) => b.has(item) || [...b].some((other) => isEqual(item, other)));
    if (a instanceof Map)
      return [...a].every(([key, value]) =>
        b.has(key) ? isEqual(value, b.get(key)) : [...b].some((pair) => isEqual([key, value], pair)),
      );
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
  };
  const comparing = (isRight, words) => (actual, expected, message) => {
    if (!isRight(actual, expected)) fail(message, \`expected \${words}\${show(expected)}, found \${show(actual)}\`);
  };
  const isExpected = (error, expected) => {
    if (expected === undefined || typeof expected === 'string') return true;
    if (expected instanceof RegExp) return expected.test(String(error));
    if (typeof expected !== 'function')
      return Object.keys(expected).every((key) =>
        expected[key] instanceof RegExp ? expected[key].test(error?.[key]) : isDeep(error?.[key], expected[key], Object.is),
      );
    return expected === Error || Error.isPrototypeOf(expected) ? error instanceof expected : expected(error) === true;
  };

  const assert = (value, message) => {
    if (!value) fail(message, 'expected what is true, found ' + show(value));
  };
  assert.ok = assert;
  assert.fail = (message) => fail(message, 'failed');
  assert.strictEqual = comparing(Object.is, '');
  assert.notStrictEqual = comparing((a, b) => !Object.is(a, b), 'other than ');
  assert.deepStrictEqual = comparing((a, b) => isDeep(a, b, Object.is), '');
  assert.notDeepStrictEqual = comparing((a, b) => !isDeep(a, b, Object.is), 'other than ');
  assert.equal = comparing(loosely, '');
  assert.notEqual = comparing((a, b) => !loosely(a, b), 'other than ');
  assert.deepEqual = comparing((a, b) => isDeep(a, b, loosely), '');
  assert.notDeepEqual = comparing((a, b) => !isDeep(a, b, loosely), 'other than ');
  assert.match = comparing((text, pattern) => pattern.test(text), 'what matches ');
  assert.throws = (run, expected, message) => {
    try {
      run();
    } catch (error) {
      if (isExpected(error, expected)) return;
      throw error;
    }
    fail(message ?? (typeof expected === 'string' ? expected : undefined), 'expected an error, found none');
  };
  assert.doesNotThrow = (run) => void run();
  assert.AssertionError = AssertionError;
  assert.strict = Object.assign((...args) => assert(...args), assert, {
    equal: assert.strictEqual,
    notEqual: assert.notStrictEqual,
    deepEqual: assert.deepStrictEqual,
    notDeepEqual: assert.notDeepStrictEqual,
  });
  return assert;
}`;

/**
 * A function that prepares a realm for tests. Its parameters: functions that pack and unpack values,
 * the entry's name, and the program call.
 */
export const assertionsSource = `(pack, unpack, entry, ask) => {
  const assert = (${assertSource})();
  const modules = { assert, 'assert/strict': assert.strict };
  const require = (name) => {
    const found = modules[name.replace('node:', '')];
    if (!found) throw new Error('there is no module but assert');
    return found;
  };

  /** What a program threw, as an error of this realm: of its class, where the language has one. */
  const thrown = (text) => {
    const [, name, message] = /^(\\w+): ([^]*)$/.exec(text) ?? [undefined, 'Error', text];
    const known = globalThis[name];
    if (known === Error || Error.isPrototypeOf(known)) return new known(message);
    return Object.assign(new Error(message), { name });
  };
  const call = (...args) => {
    const answer = JSON.parse(ask(pack(args)));
    if ('failed' in answer) throw thrown(answer.failed);
    return unpack(answer.returned);
  };
  console.assert = assert;
  for (const [name, value] of Object.entries({ [entry]: call, assert, require }))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}`;
