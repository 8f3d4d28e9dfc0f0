// Python's marshal format, for values that JSON can hold: arguments in, returned values out.
// plain-data.ts writes what a program returns, whatever methods its classes have.

import { parseExactJson } from '../../../records/exact-json.ts';

/** Types of marshalled values, by the letters that stand for them. */
export const codes = {
  none: code('N'),
  yes: code('T'),
  no: code('F'),
  ellipsis: code('.'),
  int: code('i'),
  long: code('l'),
  float: code('g'),
  complex: code('y'),
  text: code('u'),
  bytes: code('s'),
  list: code('['),
  tuple: code('('),
  dict: code('{'),
  /** Ends a dict. */
  end: code('0'),
  set: code('<'),
  frozenset: code('>'),
};
const digitBits = 15;
/** Levels of nesting that a returned value may have. */
export const mostDepth = 500;

function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** Marshalled bytes, up to a limit. */
export class Bytes {
  readonly #most: number;
  #bytes = Buffer.alloc(256);
  #size = 0;

  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** @throws NotJson if that many more bytes are too many */
  expect(more: number): void {
    if (this.#size + more > this.#most) throw new NotJson(`returned more than ${this.#most} bytes`);
  }

  byte(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  /** A type and a 32-bit number. */
  int32(type: number, value: number): void {
    this.byte(type);
    const at = this.#grow(4);
    this.#bytes.writeInt32LE(value, at);
  }

  double(value: number): void {
    const at = this.#grow(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  /** An int of any size. */
  long(value: bigint): void {
    const bits = (value < 0n ? -value : value).toString(2);
    const count = Math.ceil(bits.length / digitBits);
    const padded = bits.padStart(count * digitBits, '0');
    this.int32(codes.long, value < 0n ? -count : count);
    for (let end = padded.length; end > 0; end -= digitBits) {
      const at = this.#grow(2);
      this.#bytes.writeUInt16LE(Number.parseInt(padded.slice(end - digitBits, end), 2), at);
    }
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Make room. @returns where it begins */
  #grow(more: number): number {
    this.expect(more);
    const at = this.#size;
    this.#size += more;
    if (this.#size > this.#bytes.length) {
      const larger = Buffer.alloc(2 * this.#size);
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

/** JSON text as a marshalled Python value; with `asTuple`, a list becomes a tuple. */
export function marshalJson(json: string, asTuple = false): Buffer {
  const out = new Bytes();
  marshalValue(parseExactJson(json), out);
  const bytes = out.written();
  if (asTuple) bytes[0] = codes.tuple;
  return bytes;
}

function marshalValue(value: unknown, out: Bytes): void {
  if (value === null) out.byte(codes.none);
  else if (typeof value === 'boolean') out.byte(value ? codes.yes : codes.no);
  else if (typeof value === 'string') marshalText(value, out);
  else if (typeof value === 'number') marshalNumber(value, out);
  else if (typeof value === 'bigint') out.long(value);
  else if (Array.isArray(value)) {
    out.int32(codes.list, value.length);
    for (const item of value) marshalValue(item, out);
  } else {
    out.byte(codes.dict);
    for (const [key, item] of Object.entries(value as object)) {
      marshalText(key, out);
      marshalValue(item, out);
    }
    out.byte(codes.end);
  }
}

function marshalText(value: string, out: Bytes): void {
  const bytes = Buffer.from(value.toWellFormed());
  out.int32(codes.text, bytes.length);
  out.bytes(bytes);
}

/** Whole numbers become ints, as in Python's json for numbers without a point. */
function marshalNumber(value: number, out: Bytes): void {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) out.int32(codes.int, value);
  else if (Number.isSafeInteger(value)) out.long(BigInt(value));
  else {
    out.byte(codes.float);
    out.double(value);
  }
}

/** A value that JSON cannot hold, such as a set or NaN, or that no test can take. */
export class NotJson extends Error {}

/**
 * A marshalled value as JSON text; tuples become arrays, as in Python's json.
 * @throws NotJson for a value that JSON cannot hold or that has more than `mostChars` characters.
 */
export function jsonOfMarshal(bytes: Buffer, mostChars: number): string {
  return new Reader(bytes, mostChars).value(0);
}

/** Types of keys that become text. */
const keyCodes = new Set([codes.int, codes.long, codes.yes, codes.no, codes.none]);

class Reader {
  readonly #bytes: Buffer;
  readonly #mostChars: number;
  #at = 0;
  #chars = 0;

  constructor(bytes: Buffer, mostChars: number) {
    this.#bytes = bytes;
    this.#mostChars = mostChars;
  }

  value(depth: number): string {
    if (depth > mostDepth) throw new NotJson(`returned a value nested deeper than ${mostDepth}`);
    return this.#valueOf(this.#bytes[this.#at++]!, depth);
  }

  #valueOf(type: number, depth: number): string {
    switch (type) {
      case codes.none:
        return this.#count('null');
      case codes.yes:
        return this.#count('true');
      case codes.no:
        return this.#count('false');
      case codes.int:
        return this.#count(String(this.#int()));
      case codes.long:
        return this.#count(this.#long());
      case codes.float:
        return this.#count(this.#float());
      case codes.text:
        return this.#text(this.#int());
      case codes.list:
      case codes.tuple:
        return this.#list(this.#int(), depth);
      case codes.dict:
        return this.#dict(depth);
      default:
        throw new NotJson('returned a value that is no JSON value');
    }
  }

  #count(text: string): string {
    this.#expect(text.length);
    this.#chars += text.length;
    return text;
  }

  #expect(more: number): void {
    if (this.#chars + more > this.#mostChars)
      throw new NotJson(`returned more than ${this.#mostChars} characters of JSON`);
  }

  #int(): number {
    this.#at += 4;
    return this.#bytes.readInt32LE(this.#at - 4);
  }

  #long(): string {
    const size = this.#int();
    this.#expect(Math.floor((Math.abs(size) - 1) * digitBits * Math.log10(2)));
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
    // With an exponent, so that it is not read as an int.
    const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
    return isRounded ? value.toExponential() : JSON.stringify(value);
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
    const entries = new Map<string, string>();
    while (this.#bytes[this.#at] !== codes.end) {
      const key = this.#key(depth + 1);
      if (entries.has(key))
        throw new NotJson(`returned a dict with two keys that are ${key} in JSON`);
      entries.set(key, this.value(depth + 1));
    }
    this.#at++;
    return `{${Array.from(entries, ([key, value]) => `${key}:${value}`).join(',')}}`;
  }

  /** As in Python's json, ints, bools and None become text. */
  #key(depth: number): string {
    const type = this.#bytes[this.#at]!;
    const key = this.value(depth);
    if (type === codes.text) return key;
    if (keyCodes.has(type)) return `"${key}"`;
    throw new NotJson('returned a dict with a key that JSON cannot hold');
  }
}
