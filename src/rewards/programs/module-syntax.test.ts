import { expect, it } from 'vitest';
import { asScript } from './module-syntax.ts';

it.each([
  ['export function f() {}', 'function f() {}'],
  ['/** Doc. */\nexport const f = () => 1, g = 2;', '/** Doc. */\nconst f = () => 1, g = 2;'],
  ['export default function f() {}', 'function f() {}'],
  ['export default class F {}', 'class F {}'],
  ['export default function () {}\n(1);', 'module.exports = function () {};\n(1);'],
  ['export default (n) => n;', 'module.exports = (n) => n;'],
  ['const f = 1;\nexport default f;', 'const f = 1;\nmodule.exports = f;'],
  ['const f = 1;\nexport { f };', 'const f = 1;\n'],
  [
    'const g = 1;\nexport { g as f, g as default };',
    'const g = 1;\nexports.f = g; module.exports = g;',
  ],
  ["import fs from 'fs';", "const fs = require('fs');"],
  ["import * as fs from 'node:fs';", "const fs = require('node:fs');"],
  [
    'import fs, { a, b as c } from "fs";',
    'const fs = require("fs"), { a: a, b: c } = require("fs");',
  ],
  [
    "import 'x';\nexport * from 'y';\nexport { z } from 'z';",
    "require('x');\nrequire('y');\nrequire('z');",
  ],
  [
    'import a from "a"; import b from "b"; export let c = a;',
    'const a = require("a"); const b = require("b"); let c = a;',
  ],
])('%j', (module, script) => {
  expect(asScript(module)).toBe(script);
});

it.each([
  'function f() { return "export"; }',
  'const exports = 1; // import',
  'import("x");',
  'export',
  'export function f( {',
  'an answer that tells how to export a function',
])('leaves %j as it is', (source) => {
  expect(asScript(source)).toBe(source);
});
