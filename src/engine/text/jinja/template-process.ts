// The process of chat templates: Jinja itself, in Python in WebAssembly, so that a template renders
// as in transformers. renderer.ts starts it without environment and with the right to read only its
// own code: a template is a stranger's program.

import { constants, readFileSync } from 'node:fs';
import type { loadPyodide, PyodideInterface } from 'pyodide';
import { serve } from '../../../process/serve.ts';
import type { RenderOutcome, TemplateMethods } from './protocol.ts';

declare const WebAssembly: { Memory: { prototype: Memory } };
interface Memory {
  buffer: ArrayBuffer;
  grow: (pages: number) => number;
}

/**
 * The interpreter ticks every 50 calls and backward jumps; this many take some seconds. A template
 * may go through every character of a message, which costs the worst known one 3 ticks.
 */
const ticksPerCall = 500_000;
const ticksPerCharacter = 10;
/** An interrupt that the interpreter swallows comes again after this many ticks. */
const ticksPerReminder = 10_000;
const interrupt = 2;
const mostBytes = 512 * 1024 * 1024;
const pageBytes = 65_536;

type Render = (request: string) => string;
let loaded: Promise<Render> | undefined;
let ticks = 0;
let mostTicks = ticksPerCall;

serve<TemplateMethods>({
  render: async ({ pyodide, template, variables }) => {
    loaded ??= load(pyodide);
    const render = await loaded;
    const request = JSON.stringify({ template, variables });
    ticks = 0;
    mostTicks = ticksPerCall + ticksPerCharacter * request.length;
    try {
      return JSON.parse(render(request)) as RenderOutcome;
    } catch {
      return { failure: 'memory', reason: 'it breaks the interpreter' };
    }
  },
});

async function load(url: string): Promise<Render> {
  // The permission model forbids process.binding, from which Pyodide reads the flags of `open`.
  Object.assign(process, { binding: () => ({ fs: constants }) });
  const module = (await import(url)) as { loadPyodide: typeof loadPyodide };
  const pyodide = await module.loadPyodide({
    jsglobals: {},
    env: { PYTHONHASHSEED: '0', HOME: '/' },
  });
  unpack(pyodide, 'jinja2-3.1.6-py3-none-any.whl', 'wheel');
  unpack(pyodide, 'markupsafe-3.0.4.tar.gz', 'gztar');
  pyodide.runPython(`import sys; sys.path[:0] = ['/jinja', '/jinja/markupsafe-3.0.4/src']`);
  pyodide.runPython(readFileSync(new URL('render.py', import.meta.url), 'utf8'));
  limitMemory();
  // Read at every tick, so that a template's time is counted in steps, not by a clock.
  pyodide.setInterruptBuffer({
    get 0() {
      ticks++;
      return ticks >= mostTicks && (ticks - mostTicks) % ticksPerReminder === 0 ? interrupt : 0;
    },
    set 0(_) {},
  } as unknown as Uint8Array);
  return pyodide.globals.get('render_all') as unknown as Render;
}

function unpack(pyodide: PyodideInterface, name: string, format: string): void {
  const bytes = new Uint8Array(readFileSync(new URL(name, import.meta.url)));
  pyodide.unpackArchive(bytes, format, { extractDir: '/jinja' });
}

/** From now on, the interpreter gets no more than this memory; Python then raises MemoryError. */
function limitMemory(): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function (this: Memory, pages: number) {
    if (this.buffer.byteLength + pages * pageBytes > mostBytes) throw new RangeError('too large');
    return grow.call(this, pages);
  };
}
