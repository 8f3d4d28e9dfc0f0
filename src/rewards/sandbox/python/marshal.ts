// Python's marshal format, for values that JSON can hold: arguments in, returned values out. The
// interpreter's side is C code that looks at exact types, so nothing that a program defines affects
// how its results are written.

const code = (letter: string) => letter.charCodeAt(0);
const none = code('N');
const yes = code('T');
const no = code('F');
const int = code('i');
const long = code('l');
const float = code('g');
const text = code('u');
const list = code('[');
const tuple = code('(');
const dict = code('{');
/** Ends a dict. */
const end = code('0');
const digitBits = 15;
const mostDepth = 500;

/** JSON text as a marshalled Python value; with `asTuple`, a list becomes a tuple. */
export function marshalJson(json: string, asTuple = false): Buffer {
  const bytes = marshalValue(JSON.parse(json));
  if (asTuple) bytes[0] = tuple;
  return bytes;
}

function marshalValue(value: unknown): Buffer {
  if (value === null) return Buffer.of(none);
  if (typeof value === 'boolean') return Buffer.of(value ? yes : no);
  if (typeof value === 'string') return marshalText(value);
  if (typeof value === 'number') return marshalNumber(value);
  if (Array.isArray(value))
    return Buffer.concat([head(list, value.length), ...value.map(marshalValue)]);
  const entries = Object.entries(value as object).flatMap(([key, item]) => [
    marshalText(key),
    marshalValue(item),
  ]);
  return Buffer.concat([Buffer.of(dict), ...entries, Buffer.of(end)]);
}

/** A type and a 32-bit number. */
function head(type: number, size: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = type;
  bytes.writeInt32LE(size, 1);
  return bytes;
}

function marshalText(value: string): Buffer {
  const bytes = Buffer.from(value.toWellFormed());
  return Buffer.concat([head(text, bytes.length), bytes]);
}

/** Whole numbers become ints, as in Python's json for numbers without a point. */
function marshalNumber(value: number): Buffer {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return head(int, value);
  if (Number.isSafeInteger(value)) return marshalLong(BigInt(value));
  const bytes = Buffer.alloc(9);
  bytes[0] = float;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function marshalLong(value: bigint): Buffer {
  const digits: number[] = [];
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= BigInt(digitBits))
    digits.push(Number(rest & 0x7fffn));
  const bytes = Buffer.alloc(5 + 2 * digits.length);
  head(long, value < 0n ? -digits.length : digits.length).copy(bytes);
  for (const [index, digit] of digits.entries()) bytes.writeUInt16LE(digit, 5 + 2 * index);
  return bytes;
}

/** A value that JSON cannot hold, such as a set, NaN or a dict with numbers as keys. */
export class NotJson extends Error {}

/**
 * A marshalled value as JSON text; tuples become arrays, as in Python's json.
 * @throws NotJson for a value that JSON cannot hold or that has more than `mostChars` characters.
 */
export function jsonOfMarshal(bytes: Buffer, mostChars: number): string {
  return new Reader(bytes, mostChars).value(0);
}

/** The flag of an object that is referred to later. */
const isReferred = 0x80;

class Reader {
  readonly #bytes: Buffer;
  readonly #mostChars: number;
  /** Positions of the objects that are referred to, by their numbers. */
  readonly #referred: number[] = [];
  #at = 0;
  #chars = 0;

  constructor(bytes: Buffer, mostChars: number) {
    this.#bytes = bytes;
    this.#mostChars = mostChars;
  }

  value(depth: number): string {
    if (depth > mostDepth) throw new NotJson(`returned a value nested deeper than ${mostDepth}`);
    const start = this.#at;
    const type = this.#bytes[this.#at++]!;
    if (type & isReferred && start > (this.#referred.at(-1) ?? -1)) this.#referred.push(start);
    return this.#valueOf(String.fromCharCode(type & ~isReferred), depth);
  }

  #valueOf(type: string, depth: number): string {
    switch (type) {
      case 'N':
        return this.#count('null');
      case 'T':
        return this.#count('true');
      case 'F':
        return this.#count('false');
      case 'i':
        return this.#count(String(this.#int()));
      case 'l':
        return this.#count(this.#long());
      case 'g':
        return this.#count(this.#float());
      case 'a':
      case 'A':
      case 't':
      case 'u':
        return this.#text(this.#int());
      case 'z':
      case 'Z':
        return this.#text(this.#bytes[this.#at++]!);
      case '[':
      case '(':
        return this.#list(this.#int(), depth);
      case ')':
        return this.#list(this.#bytes[this.#at++]!, depth);
      case '{':
        return this.#dict(depth);
      case 'r':
        return this.#reference(depth);
      default:
        throw new NotJson('returned a value that is no JSON value');
    }
  }

  #count(text: string): string {
    this.#chars += text.length;
    if (this.#chars > this.#mostChars)
      throw new NotJson(`returned more than ${this.#mostChars} characters of JSON`);
    return text;
  }

  #reference(depth: number): string {
    const target = this.#referred[this.#int()]!;
    const back = this.#at;
    this.#at = target;
    const value = this.value(depth + 1);
    this.#at = back;
    return value;
  }

  #int(): number {
    this.#at += 4;
    return this.#bytes.readInt32LE(this.#at - 4);
  }

  #long(): string {
    const size = this.#int();
    const digits = Array.from({ length: Math.abs(size) }, (_, index) =>
      this.#bytes
        .readUInt16LE(this.#at + 2 * index)
        .toString(2)
        .padStart(digitBits, '0'),
    );
    this.#at += 2 * digits.length;
    return `${size < 0 ? '-' : ''}${BigInt(`0b${digits.reverse().join('')}`)}`;
  }

  #float(): string {
    this.#at += 8;
    const value = this.#bytes.readDoubleLE(this.#at - 8);
    if (!Number.isFinite(value)) throw new NotJson(`returned ${value}, which is no JSON value`);
    return JSON.stringify(value);
  }

  #text(size: number): string {
    this.#at += size;
    return this.#count(JSON.stringify(this.#bytes.toString('utf8', this.#at - size, this.#at)));
  }

  #list(size: number, depth: number): string {
    this.#count('[]');
    const items: string[] = [];
    while (items.length < size) items.push(this.value(depth + 1));
    return `[${items.join(',')}]`;
  }

  #dict(depth: number): string {
    this.#count('{}');
    const entries: string[] = [];
    while (this.#bytes[this.#at] !== end) {
      const key = this.value(depth + 1);
      if (!key.startsWith('"')) throw new NotJson('returned a dict with a key that is no str');
      entries.push(`${key}:${this.value(depth + 1)}`);
    }
    this.#at++;
    return `{${entries.join(',')}}`;
  }
}
