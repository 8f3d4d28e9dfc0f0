// Names that a JavaScript program has without declaring them.

import { nodeGlobals } from '../sandbox/javascript/node.ts';

/** ECMAScript's and those of Node that the sandbox has. */
export const languageNames: ReadonlySet<string> = new Set([
  ...nodeGlobals,
  ...'AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet arguments console decodeURI decodeURIComponent encodeURI encodeURIComponent eval exports globalThis isFinite isNaN module parseFloat parseInt require undefined'.split(
    ' ',
  ),
]);

/** Those that a whole program has too, for input, output and its end. */
export const namesOfRuns: ReadonlySet<string> = new Set(['print', 'process', 'readline']);
