// Reads and writes the bytes of WebAssembly modules.
// Format: https://webassembly.github.io/spec/core/binary/

/** An unsigned integer in LEB128. */
export function leb(value: number): number[] {
  const bytes = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

export class Reader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }

  leb(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
  }

  /** Skip integers in LEB128, signed or not. */
  skipLebs(count: number): void {
    for (let left = count; left > 0; left--) while (this.byte() >= 0x80);
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

/** Bytes that grow. */
export class Writer {
  #bytes: Uint8Array;
  length = 0;

  constructor(expected: number) {
    this.#bytes = new Uint8Array(expected + expected / 4 + 64);
  }

  put(bytes: ArrayLike<number>): void {
    const end = this.length + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.length);
    this.length = end;
  }

  /** Put bytes after their number. */
  putSized(bytes: Uint8Array): void {
    this.put(leb(bytes.length));
    this.put(bytes);
  }

  /** Replace a byte. */
  patch(at: number, byte: number): void {
    this.#bytes[at] = byte;
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length) as Uint8Array<ArrayBuffer>;
  }
}

export interface Section {
  id: number;
  content: Uint8Array;
}

export const sectionIds = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 };

export function sectionsOf(module: Uint8Array): Section[] {
  const reader = new Reader(module);
  reader.take(8);
  const found: Section[] = [];
  while (!reader.isAtEnd) found.push({ id: reader.byte(), content: reader.take(reader.leb()) });
  return found;
}

/** How many functions and globals a module imports; theirs are the first indices. */
export function countImports(content: Uint8Array): { functions: number; globals: number } {
  const reader = new Reader(content);
  const counts = [0, 0, 0, 0, 0];
  for (let left = reader.leb(); left > 0; left--) {
    reader.take(reader.leb());
    reader.take(reader.leb());
    const kind = reader.byte();
    counts[kind]!++;
    skipImport[kind]!(reader);
  }
  return { functions: counts[0]!, globals: counts[3]! };
}

const skipLimits = (reader: Reader) => reader.skipLebs(reader.byte() & 1 ? 2 : 1);
/** By kind: function, table, memory, global, tag. */
const skipImport: ((reader: Reader) => void)[] = [
  (reader) => reader.skipLebs(1),
  (reader) => {
    reader.byte();
    skipLimits(reader);
  },
  skipLimits,
  (reader) => reader.take(2),
  (reader) => reader.skipLebs(2),
];

const ranges = (counts: [from: number, to: number, operands: number][]): Map<number, number> =>
  new Map(
    counts.flatMap(([from, to, operands]) =>
      Array.from({ length: to - from + 1 }, (_, index) => [from + index, operands] as const),
    ),
  );
/** Instructions by the number of integers that are their operands. */
const operands = ranges([
  [0x00, 0x01, 0],
  [0x02, 0x04, 1],
  [0x05, 0x05, 0],
  [0x06, 0x09, 1],
  [0x0b, 0x0b, 0],
  [0x0c, 0x0d, 1],
  [0x0f, 0x0f, 0],
  [0x10, 0x10, 1],
  [0x11, 0x11, 2],
  [0x12, 0x12, 1],
  [0x13, 0x13, 2],
  [0x18, 0x18, 1],
  [0x19, 0x1b, 0],
  [0x20, 0x26, 1],
  [0x28, 0x3e, 2],
  [0x3f, 0x42, 1],
  [0x45, 0xc4, 0],
  [0xd0, 0xd0, 1],
  [0xd1, 0xd1, 0],
  [0xd2, 0xd2, 1],
]);
/** The same for those that begin with `codes.bulk` and with `codes.vector`. */
const bulkOperands = ranges([
  [0, 7, 0],
  [8, 8, 2],
  [9, 9, 1],
  [10, 10, 2],
  [11, 11, 1],
  [12, 12, 2],
  [13, 13, 1],
  [14, 14, 2],
  [15, 17, 1],
]);
const vectorOperands = ranges([
  [0, 11, 2],
  [14, 20, 0],
  [21, 34, 1],
  [35, 83, 0],
  [84, 91, 3],
  [92, 93, 2],
  [94, 275, 0],
]);
const vectorBytes = 16;

export const codes = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  try: 0x06,
  end: 0x0b,
  branchTable: 0x0e,
  call: 0x10,
  delegate: 0x18,
  select: 0x1c,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i64LessSigned: 0x53,
  i64Sub: 0x7d,
  i64ShiftRight: 0x88,
  i64ExtendUnsigned: 0xad,
  bulk: 0xfc,
  vector: 0xfd,
};
/** The second codes of those that begin with `codes.bulk`. */
export const bulkCodes = { memoryCopy: 10, memoryFill: 11 };

export interface Instruction {
  code: number;
  /** The second code, if there is one. */
  second: number;
}

/** Read past an instruction, into `found`. @throws Error if it is not known here */
export function readInstruction(reader: Reader, found: Instruction): void {
  const { at } = reader;
  const code = reader.byte();
  found.code = code;
  const count = operands.get(code);
  if (count !== undefined) {
    reader.skipLebs(count);
  } else if (code === codes.f32Const || code === codes.f64Const) {
    reader.take(code === codes.f32Const ? 4 : 8);
  } else if (code === codes.branchTable) {
    reader.skipLebs(reader.leb() + 1);
  } else if (code === codes.select) {
    reader.skipLebs(reader.leb());
  } else {
    const isBulk = code === codes.bulk;
    found.second = isBulk || code === codes.vector ? reader.leb() : -1;
    const more = (isBulk ? bulkOperands : vectorOperands).get(found.second);
    if (more !== undefined) reader.skipLebs(more);
    else if (code === codes.vector && (found.second === 12 || found.second === 13))
      reader.take(vectorBytes);
    else throw new Error(`expected a known instruction of WebAssembly, found ${code} at ${at}`);
  }
}
