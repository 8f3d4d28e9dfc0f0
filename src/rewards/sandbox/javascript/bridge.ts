// Moves values into and out of a realm of QuickJS, and defines what programs have there besides the
// language. A program shares the realm with these functions, so they trust nothing that it can
// reach: they captured what they use before it ran, and it has no reference to them.

import type { QuickJSContext, QuickJSHandle, Scope } from 'quickjs-emscripten-core';
import { assertSource } from './assertions.ts';
import { nodeGlobals, nodeSource } from './node.ts';

/**
 * `encode` writes a value as JSON without JSON.stringify, which would call `toJSON` and turn NaN
 * into null. It throws for what JSON cannot hold (undefined, NaN, functions, class instances, …) and
 * leaves out undefined properties. `pack` also handles undefined, all numbers, big integers, sets
 * and maps, as JSON in which every list begins with its type; `unpack` reads that. `describe` makes
 * a message from a thrown value. Programs have Node's console, process, module and exports, which
 * write nothing and know no files, until `talk` gives them an input; `written` is what they wrote
 * since, `exited` the code that they exited with, -1 if they did not, and `fire` runs their next
 * timer, if there is one.
 */
const common = `
  const { isArray } = Array;
  const { defineProperty, getPrototypeOf, keys, prototype: plain } = Object;
  const { isFinite } = Number;
  const { apply } = Reflect;
  const { parse, stringify: quote } = JSON;
  const { indexOf, slice, replace } = String.prototype;
  const refuse = (what) => { throw { name: 'returned', message: what + ', which is no JSON value' }; };

  const encodeArray = (array) => {
    let text = '[';
    for (let index = 0; index < array.length; index++)
      text += (index > 0 ? ',' : '') + encode(array[index]);
    return text + ']';
  };
  const encodeObject = (object) => {
    const prototype = getPrototypeOf(object);
    if (prototype !== plain && prototype !== null) refuse('an instance of a class');
    const names = keys(object);
    let text = '';
    for (let index = 0; index < names.length; index++) {
      const value = object[names[index]];
      if (value !== undefined)
        text += (text === '' ? '' : ',') + quote(names[index]) + ':' + encode(value);
    }
    return '{' + text + '}';
  };
  const encode = (value) => {
    if (value === null) return 'null';
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    if (typeof value === 'number') return isFinite(value) ? '' + value : refuse('' + value);
    if (typeof value !== 'object') return refuse(value === undefined ? 'undefined' : 'a ' + typeof value);
    return isArray(value) ? encodeArray(value) : encodeObject(value);
  };
  const describe = (thrown) => {
    if (typeof thrown !== 'object' || thrown === null) return 'threw a ' + typeof thrown;
    const { name, message } = thrown;
    return typeof name === 'string' && typeof message === 'string' ? name + ': ' + message : 'threw';
  };
  const silent = () => {};
  const console = {};
  for (const name of [
    'log', 'info', 'warn', 'error', 'debug', 'trace', 'assert', 'table', 'dir', 'dirxml', 'clear',
    'group', 'groupCollapsed', 'groupEnd', 'time', 'timeLog', 'timeEnd', 'count', 'countReset',
  ]) console[name] = silent;
  const writing = { write: () => true, isTTY: false };
  const process = {
    argv: ['node', 'program.js'], env: {}, platform: 'linux', exitCode: undefined,
    stdout: { ...writing }, stderr: { ...writing },
    exit: () => { throw new Error('process.exit was called'); },
    cwd: () => '/', uptime: () => 0, on: () => process, once: () => process,
  };
  const module = { exports: {} };
  let rest = '';
  const takeLine = () => {
    if (rest === '') return null;
    const end = apply(indexOf, rest, ['\\n']);
    const line = end < 0 ? rest : apply(slice, rest, [0, end]);
    rest = end < 0 ? '' : apply(slice, rest, [end + 1]);
    return apply(replace, line, ['\\r', '']);
  };
  const takeAll = () => {
    const all = rest;
    rest = '';
    return all;
  };
  const readFileSync = (file) => {
    if (file !== 0 && file !== '/dev/stdin') throw new Error('ENOENT: there is no file but /dev/stdin');
    return takeAll();
  };
  const modules = { __proto__: null, fs: { readFileSync } };
  const require = (name) => {
    const found = modules[apply(replace, name, [/^node:/, ''])];
    if (!found) throw new Error("Cannot find module '" + name + "'");
    return found;
  };
  let nextTimer = () => false;
  const given = (name, value) =>
    defineProperty(globalThis, name, { value, writable: true, configurable: true });
  given('console', console);
  given('process', process);
  given('module', module);
  given('exports', module.exports);
  given('require', require);
`;

/** What few programs use of Node (node.ts); it is only read for those that name some of it. */
const node = `
  {
    const { fire, globals, ...others } = (${nodeSource})({ takeLine, takeAll });
    nextTimer = fire;
    Object.assign(modules, others.modules, { assert: (${assertSource})() });
    Object.assign(process, { stdin: others.stdin, nextTick: globals.queueMicrotask });
    for (const name of keys(globals)) given(name, globals[name]);
  }
`;
const namesOfNode = new RegExp(
  `\\b(?:${[...nodeGlobals, 'stdin', 'nextTick', 'require'].join('|')})\\b`,
);

const packing = `
  const { is } = Object;
  const { prototype: setPrototype } = Set;
  const { prototype: mapPrototype } = Map;
  const { add: addToSet, forEach: eachOfSet } = setPrototype;
  const { set: setInMap, forEach: eachOfMap } = mapPrototype;
  const { Set: NewSet, Map: NewMap, BigInt: toBigInt, Number: toNumber } = globalThis;
  const packList = (list) => {
    let text = '["list"';
    for (let index = 0; index < list.length; index++) text += ',' + pack(list[index]);
    return text + ']';
  };
  const packObject = (object) => {
    const prototype = getPrototypeOf(object);
    let text = '';
    const packPair = (value, key) => { text += ',' + pack(key) + ',' + pack(value); };
    if (prototype === setPrototype) {
      apply(eachOfSet, object, [(value) => { text += ',' + pack(value); }]);
      return '["set"' + text + ']';
    }
    if (prototype === mapPrototype) {
      apply(eachOfMap, object, [packPair]);
      return '["map"' + text + ']';
    }
    if (prototype !== plain && prototype !== null) refuse('an instance of a class');
    const names = keys(object);
    for (let index = 0; index < names.length; index++) packPair(object[names[index]], names[index]);
    return '["object"' + text + ']';
  };
  const pack = (value) => {
    if (value === undefined) return '["undefined"]';
    if (typeof value === 'bigint') return '["bigint","' + value + '"]';
    if (typeof value === 'number' && (!isFinite(value) || is(value, -0)))
      return '["number","' + (value === 0 ? '-0' : value) + '"]';
    if (typeof value !== 'object' || value === null) return encode(value);
    return isArray(value) ? packList(value) : packObject(value);
  };
  const readers = {
    __proto__: null,
    undefined: () => undefined,
    bigint: (packed) => toBigInt(packed[1]),
    number: (packed) => toNumber(packed[1]),
    list: (packed) => {
      const list = [];
      for (let index = 1; index < packed.length; index++) list[index - 1] = read(packed[index]);
      return list;
    },
    set: (packed) => {
      const set = new NewSet();
      for (let index = 1; index < packed.length; index++) apply(addToSet, set, [read(packed[index])]);
      return set;
    },
    map: (packed) => {
      const map = new NewMap();
      for (let index = 1; index < packed.length; index += 2)
        apply(setInMap, map, [read(packed[index]), read(packed[index + 1])]);
      return map;
    },
    object: (packed) => {
      const object = {};
      for (let index = 1; index < packed.length; index += 2) {
        const value = read(packed[index + 1]);
        defineProperty(object, packed[index], { __proto__: null, value, writable: true, enumerable: true, configurable: true });
      }
      return object;
    },
  };
  const read = (packed) => isArray(packed) ? readers[packed[0]](packed) : packed;
  const unpack = (text) => read(parse(text));
`;

const talking = `
  const { String: toText, Number: toNumber } = globalThis;
  let text = '';
  let code = -1;
  const show = (value) => typeof value === 'object' && value !== null ? encode(value) : toText(value);
  const talk = (input) => {
    rest = input;
    const write = (more) => {
      if (code < 0) text += more;
      return true;
    };
    const print = (...values) => {
      let line = '';
      for (let index = 0; index < values.length; index++)
        line += (index > 0 ? ' ' : '') + show(values[index]);
      write(line + '\\n');
    };
    require.main = module;
    console.log = console.info = console.debug = console.dir = console.table = print;
    process.stdout.write = (more) => write(toText(more));
    process.exit = (given) => {
      if (code < 0) code = toNumber(given ?? process.exitCode ?? 0) & 255;
      throw new Error('process.exit was called');
    };
    globalThis.readline = takeLine;
    globalThis.print = print;
  };
  const fire = () => code < 0 && nextTimer();
  const written = () => quote(text);
  const exited = () => code;
`;

/** What a realm is for. Its bridge has only those functions, because reading the source takes time. */
const kinds = {
  calls: { source: common, names: ['encode', 'describe', 'parse', 'apply'] },
  asserts: {
    source: common + packing,
    names: ['encode', 'describe', 'parse', 'apply', 'pack', 'unpack'],
  },
  whole: { source: common + talking, names: ['describe', 'talk', 'fire', 'written', 'exited'] },
} as const;
export type RealmKind = keyof typeof kinds;
type Name = (typeof kinds)[RealmKind]['names'][number];

/** The functions of one realm that its kind needs; no program can reach or replace them. */
export type Bridge = Record<Name, QuickJSHandle>;

/**
 * Install the bridge for a program in a realm in which nothing has run; its handles live as long as
 * `scope`.
 */
export function takeBridge(
  context: QuickJSContext,
  scope: Scope,
  kind: RealmKind,
  program = '',
): Bridge {
  const { source, names } = kinds[kind];
  const more = namesOfNode.test(program) ? node : '';
  const code = `(() => {${source}${more}return { ${names.join()} };})()`;
  const functions = scope.manage(context.unwrapResult(context.evalCode(code)));
  const taken = names.map((name) => [name, scope.manage(context.getProp(functions, name))]);
  return Object.fromEntries(taken) as Bridge;
}
