// Meters WebAssembly: rewrites a module so that every turn of a loop, and memory that is copied or
// filled, takes fuel from a counter, and the code traps when none is left. What a program uses is
// then the same on every machine, also in one long call of its interpreter. The counter is a global
// of the instance, which code that runs in its memory cannot reach.

import {
  bulkCodes,
  codes,
  countImports,
  type Instruction,
  leb,
  Reader,
  readInstruction,
  sectionIds,
  sectionsOf,
  Writer,
} from './binary.ts';

/** The name under which a metered module exports its counter, a global of 64 bits. */
const counterName = 'anneal_fuel';
const globalKind = 3;
const [i32, i64, functionType, noResult] = [0x7f, 0x7e, 0x60, 0x40];
/** What an instance starts with: about 2^62. */
const unlimited = [...Array(8).fill(0x80), 0x3f];
/** Units that take about a millisecond; measured 0.9 to 19 million, mostly 3.5 to 10 million. */
const fuelPerMs = 5_000_000;
/** What a program has beyond its time limit. */
const patienceMs = 400;
/** Most instructions that a call or a turn is charged for; few of a long body are run. */
const mostPerTurn = 16;
/** Bytes that are copied or filled for a unit, as a power of two. */
const bytesPerUnit = 3;

/** The fuel of an instance of a metered module: without limit until it is set. */
export class Fuel {
  readonly #counter: { value: bigint };
  readonly #full: bigint;

  /** @param exports those of the instance */
  constructor(exports: object) {
    this.#counter = (exports as { [counterName]: { value: bigint } })[counterName];
    this.#full = this.#counter.value;
  }

  get left(): number {
    return Number(this.#counter.value);
  }

  set left(units: number) {
    this.#counter.value = BigInt(units);
  }

  /** Whether the code trapped for lack of fuel. It is broken then, and traps whenever it is called. */
  get isSpent(): boolean {
    return this.#counter.value < 0n;
  }

  /** Take the limit away. */
  refill(): void {
    this.#counter.value = this.#full;
  }
}

/** A program's fuel. Steps of the interpreter use it up later than its ticks, long calls sooner. */
export function fuelFor(timeLimitMs: number): number {
  return Math.min((2 * timeLimitMs + patienceMs) * fuelPerMs, Number.MAX_SAFE_INTEGER);
}

/** Rewrite a module, which has globals and exports. @throws Error for instructions unknown here */
export function metered(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(module);
  const contentOf = (id: number) =>
    sections.find((section) => section.id === id)?.content ?? Uint8Array.of(0);
  const lengthOf = (id: number) => new Reader(contentOf(id)).leb();
  const imported = countImports(contentOf(sectionIds.import));
  const counter = leb(imported.globals + lengthOf(sectionIds.global));
  const meter = new FunctionMeter(counter, imported.functions + lengthOf(sectionIds.function));
  const type = leb(lengthOf(sectionIds.type));
  const name = [counterName.length, ...Buffer.from(counterName)];
  /** Items that are added to sections, where no index of others changes. */
  const added = new Map([
    [sectionIds.type, [[functionType, 3, i32, i32, i32, 0]]],
    [sectionIds.function, [type, type]],
    [sectionIds.global, [[i64, 1, codes.i64Const, ...unlimited, codes.end]]],
    [sectionIds.export, [[...name, globalKind, ...counter]]],
    [sectionIds.code, meter.bulkFunctions()],
  ]);
  const written = new Writer(module.length);
  written.put(module.subarray(0, 8));
  for (const { id, content } of sections) {
    const items = added.get(id) ?? [];
    const reader = new Reader(content);
    const section = new Writer(content.length);
    if (items.length > 0) {
      const length = reader.leb();
      section.put(leb(length + items.length));
      if (id === sectionIds.code)
        for (let left = length; left > 0; left--)
          section.putSized(meter.metered(reader.take(reader.leb())));
    }
    section.put(reader.take(content.length - reader.at));
    for (const item of items) section.put(item);
    written.put([id]);
    written.putSized(section.done());
  }
  return written.done();
}

/** A block that is open while a function is read. */
interface Block {
  /** Where its price is written; none if it belongs to the block around it. */
  priceAt?: number;
  instructions: number;
}

/** Rewrites functions. */
class FunctionMeter {
  readonly #counter: number[];
  /** Takes fuel; the price, which is put in later, is the byte at `#priceAt`. */
  readonly #payment: number[];
  readonly #priceAt: number;
  /** Calls of the functions in place of bulk instructions, by the second codes of those. */
  readonly #calls: Map<number, number[]>;
  readonly #found: Instruction = { code: 0, second: 0 };

  /** @param firstAdded index of the first of `bulkFunctions` */
  constructor(counter: number[], firstAdded: number) {
    this.#counter = counter;
    const load = [codes.globalGet, ...counter];
    this.#payment = [...load, codes.i64Const, 0, codes.i64Sub, ...this.#storing()];
    this.#priceAt = load.length + 1;
    this.#calls = new Map([
      [bulkCodes.memoryCopy, [codes.call, ...leb(firstAdded)]],
      [bulkCodes.memoryFill, [codes.call, ...leb(firstAdded + 1)]],
    ]);
  }

  /** Set the counter, and trap if it is below 0. */
  #storing(): number[] {
    return [
      ...[codes.globalSet, ...this.#counter, codes.globalGet, ...this.#counter],
      ...[codes.i64Const, 0, codes.i64LessSigned],
      ...[codes.if, noResult, codes.unreachable, codes.end],
    ];
  }

  /** Functions that pay for the bytes that they copy or fill, with their sizes. */
  bulkFunctions(): number[][] {
    const operations = [
      [codes.bulk, bulkCodes.memoryCopy, 0, 0],
      [codes.bulk, bulkCodes.memoryFill, 0],
    ];
    const [first, second, size, noLocals] = [0, 1, 2, 0];
    return operations.map((operation) => {
      const body = [
        ...[noLocals, codes.globalGet, ...this.#counter],
        ...[codes.localGet, size, codes.i64ExtendUnsigned],
        ...[codes.i64Const, bytesPerUnit, codes.i64ShiftRight, codes.i64Sub, ...this.#storing()],
        ...[codes.localGet, first, codes.localGet, second, codes.localGet, size],
        ...[...operation, codes.end],
      ];
      return [...leb(body.length), ...body];
    });
  }

  /** The body of a function that pays on entry, and for every turn of its loops. */
  metered(body: Uint8Array): Uint8Array {
    const reader = new Reader(body);
    for (let groups = reader.leb(); groups > 0; groups--) reader.skipLebs(2);
    const written = new Writer(body.length);
    let copied = 0;
    const copyUntil = (end: number) => {
      written.put(body.subarray(copied, end));
      copied = reader.at;
    };
    const opened = (): Block => {
      copyUntil(reader.at);
      written.put(this.#payment);
      const priceAt = written.length - this.#payment.length + this.#priceAt;
      return { priceAt, instructions: 0 };
    };
    const open: Block[] = [opened()];
    while (!reader.isAtEnd) {
      const { at } = reader;
      readInstruction(reader, this.#found);
      const { code, second } = this.#found;
      open.at(-1)!.instructions++;
      if (code === codes.loop) open.push(opened());
      else if (opensBlock(code)) open.push({ instructions: 0 });
      else if (code === codes.end || code === codes.delegate) {
        const { priceAt, instructions } = open.pop()!;
        if (priceAt !== undefined) written.patch(priceAt, Math.min(mostPerTurn, instructions));
        else open.at(-1)!.instructions += instructions;
      } else if (code === codes.bulk && this.#calls.has(second)) {
        copyUntil(at);
        written.put(this.#calls.get(second)!);
      }
    }
    copyUntil(reader.at);
    return written.done();
  }
}

function opensBlock(code: number): boolean {
  return code === codes.block || code === codes.if || code === codes.try;
}
