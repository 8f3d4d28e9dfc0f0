import { expect, it } from 'vitest';
import { parseProgram } from '../programs/javascript.ts';
import { normalFormOf } from '../programs/normal-form/javascript.ts';
import { readingLimits } from '../programs/parse.ts';
import { reviewText } from './text-review.ts';

/** As many repetitions of `part` as a program may have. */
const many = (part: string) =>
  part.repeat(Math.floor((readingLimits.characters - 100) / part.length));
const deep = (open: string, close: string, times: number) =>
  `${open.repeat(times)}1${close.repeat(times)}`;

it.each([
  ['returns', `function f(a) { ${many('if(a)return a;')} }`],
  ['functions', `function f(a) { ${many('(()=>{return a})();')} }`],
  ['returned booleans', `function f(a) { ${many('if(a)return true;')} return false; }`],
  ['loops over one name', `function f(a) { ${many('for(var i=0;i<a.length;i++)a[i];')} }`],
  ['blocks', `function f(a) { ${many(`${'{'.repeat(400)}${'}'.repeat(400)}`)} }`],
  ['calls', `const f = () => [${many(`${deep('f(', ')', 400)},`)}];`],
  ['functions in functions', `const f = () => [${many(`${deep('()=>', '', 400)},`)}];`],
  ['names', `const f = () => [${many('a,')}];`],
  ['if after if', `function f(a) { ${many(`${'if(a)'.repeat(400)};`)} }`],
])(
  'reads a program of the largest size, of many %s',
  (_, source) => {
    const program = parseProgram(source, 'f');
    if ('failed' in program) throw new Error(program.failed);
    expect(reviewText(program).cost).toBeGreaterThanOrEqual(0);
    expect(normalFormOf(source)).not.toBeNull();
  },
  20_000,
);
