// Reads Python objects as plain data. The C functions used here look into the objects, so no method
// of a program's classes runs: a value of a subclass is taken as a value of its built-in class, by
// the layout that the class really has. The result is in Python's marshal format, without
// references: what is shared is written each time.

import { Bytes, codes, mostDepth, NotJson } from './marshal.ts';

/** The address of a Python object, 0 for none; and the address of text or bytes. */
type PyObject = number;
type Address = number;
interface Global {
  value: Address;
}

/** What the reader uses of the interpreter's exports. */
export interface PlainDataExports {
  memory: { buffer: ArrayBuffer };
  malloc: (size: number) => Address;
  free: (at: Address) => void;
  PyObject_Type: (value: PyObject) => PyObject;
  PyType_GetFlags: (type: PyObject) => number;
  PyType_IsSubtype: (type: PyObject, base: PyObject) => number;
  PyErr_Clear: () => void;
  Py_DecRef: (value: PyObject) => void;
  PyLong_AsLongAndOverflow: (value: PyObject, overflow: Address) => number;
  PyNumber_ToBase: (value: PyObject, base: number) => PyObject;
  PyFloat_AsDouble: (value: PyObject) => number;
  PyComplex_RealAsDouble: (value: PyObject) => number;
  PyComplex_ImagAsDouble: (value: PyObject) => number;
  PyUnicode_AsUTF8AndSize: (text: PyObject, size: Address) => Address;
  PyUnicode_AsEncodedString: (text: PyObject, encoding: Address, errors: Address) => PyObject;
  PyBytes_AsString: (bytes: PyObject) => Address;
  PyBytes_Size: (bytes: PyObject) => number;
  PyByteArray_AsString: (bytes: PyObject) => Address;
  PyByteArray_Size: (bytes: PyObject) => number;
  PyList_Size: (list: PyObject) => number;
  PyList_GetItem: (list: PyObject, index: number) => PyObject;
  PyTuple_Size: (tuple: PyObject) => number;
  PyTuple_GetItem: (tuple: PyObject, index: number) => PyObject;
  PyDict_Next: (dict: PyObject, position: Address, key: Address, value: Address) => number;
  PySet_Size: (set: PyObject) => number;
  _PySet_NextEntry: (set: PyObject, position: Address, key: Address, hash: Address) => number;
  _Py_NoneStruct: Global;
  _Py_TrueStruct: Global;
  _Py_FalseStruct: Global;
  _Py_EllipsisObject: Global;
  PyFloat_Type: Global;
  PyComplex_Type: Global;
  PyByteArray_Type: Global;
  PySet_Type: Global;
  PyFrozenSet_Type: Global;
}

/** Set in the types of a built-in class and of all its subclasses. */
const subclassFlags = {
  int: 1 << 24,
  list: 1 << 25,
  tuple: 1 << 26,
  bytes: 1 << 27,
  str: 1 << 28,
  dict: 1 << 29,
};
const hexadecimal = 16;
/** Room for three numbers that C functions write. */
const scratchBytes = 12;

/**
 * A value as plain data, marshalled.
 * @param nameOf the name of a type
 * @throws NotJson for a value that holds something else, is nested too deep, or takes more than
 * `mostBytes`.
 */
export function marshalPlain(
  exports: PlainDataExports,
  value: PyObject,
  mostBytes: number,
  nameOf: (type: PyObject) => string,
): Buffer {
  const scratch = exports.malloc(scratchBytes);
  if (scratch === 0) throw new NotJson('returned a value that leaves no memory to read it');
  try {
    const out = new Bytes(mostBytes);
    new PlainDataReader(exports, scratch, out, nameOf).write(value, 0);
    return out.written();
  } finally {
    exports.free(scratch);
  }
}

class PlainDataReader {
  readonly #api: PlainDataExports;
  readonly #scratch: Address;
  readonly #out: Bytes;
  readonly #nameOf: (type: PyObject) => string;
  readonly #constants: Map<PyObject, number>;

  constructor(
    api: PlainDataExports,
    scratch: Address,
    out: Bytes,
    nameOf: (type: PyObject) => string,
  ) {
    this.#api = api;
    this.#scratch = scratch;
    this.#out = out;
    this.#nameOf = nameOf;
    this.#constants = new Map([
      [api._Py_NoneStruct.value, codes.none],
      [api._Py_TrueStruct.value, codes.yes],
      [api._Py_FalseStruct.value, codes.no],
      [api._Py_EllipsisObject.value, codes.ellipsis],
    ]);
  }

  write(value: PyObject, depth: number): void {
    if (depth > mostDepth) throw new NotJson(`returned a value nested deeper than ${mostDepth}`);
    const constant = this.#constants.get(value);
    if (constant === undefined) this.#writeObject(value, depth);
    else this.#out.byte(constant);
  }

  #writeObject(value: PyObject, depth: number): void {
    const type = this.#api.PyObject_Type(value);
    const flags = this.#api.PyType_GetFlags(type);
    if (flags & subclassFlags.int) this.#int(value);
    else if (flags & subclassFlags.str) this.#text(value);
    else if (flags & subclassFlags.list) this.#list(value, depth);
    else if (flags & subclassFlags.tuple) this.#tuple(value, depth);
    else if (flags & subclassFlags.dict) this.#dict(value, depth);
    else if (flags & subclassFlags.bytes) this.#bytes(value);
    else this.#unflagged(value, type, depth);
    this.#api.Py_DecRef(type);
  }

  /** A value of a class whose subclasses have no flag. */
  #unflagged(value: PyObject, type: PyObject, depth: number): void {
    const api = this.#api;
    const isA = (base: Global) => api.PyType_IsSubtype(type, base.value) !== 0;
    if (isA(api.PyFloat_Type)) {
      this.#out.byte(codes.float);
      this.#out.double(api.PyFloat_AsDouble(value));
    } else if (isA(api.PyComplex_Type)) {
      this.#out.byte(codes.complex);
      this.#out.double(api.PyComplex_RealAsDouble(value));
      this.#out.double(api.PyComplex_ImagAsDouble(value));
    } else if (isA(api.PySet_Type)) this.#set(codes.set, value, depth);
    else if (isA(api.PyFrozenSet_Type)) this.#set(codes.frozenset, value, depth);
    else if (isA(api.PyByteArray_Type))
      this.#copy(codes.bytes, api.PyByteArray_AsString(value), api.PyByteArray_Size(value));
    else throw new NotJson(`returned a value (${this.#nameOf(type)}) that is no plain data`);
  }

  #int(value: PyObject): void {
    const short = this.#api.PyLong_AsLongAndOverflow(value, this.#scratch);
    if (this.#number(0) === 0) this.#out.int32(codes.int, short);
    else this.#longInt(value);
  }

  #longInt(value: PyObject): void {
    const text = this.#api.PyNumber_ToBase(value, hexadecimal);
    if (text === 0) throw this.#tooLarge();
    const { at, size } = this.#utf8(text)!;
    this.#out.expect(size / 2);
    const digits = Buffer.from(this.#memory().subarray(at, at + size)).toString();
    this.#out.long(digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits));
    this.#api.Py_DecRef(text);
  }

  #text(value: PyObject): void {
    const found = this.#utf8(value);
    if (found) this.#copy(codes.text, found.at, found.size);
    else this.#malformedText(value);
  }

  #malformedText(value: PyObject): void {
    const [encoding, errors] = ['utf-8', 'surrogatepass'].map((name) => this.#put(name));
    const bytes = this.#api.PyUnicode_AsEncodedString(value, encoding!, errors!);
    this.#api.free(encoding!);
    this.#api.free(errors!);
    if (bytes === 0) throw this.#tooLarge();
    this.#copy(codes.text, this.#api.PyBytes_AsString(bytes), this.#api.PyBytes_Size(bytes));
    this.#api.Py_DecRef(bytes);
  }

  /** A text's bytes; null if it has half of a surrogate pair. */
  #utf8(text: PyObject): { at: Address; size: number } | null {
    const at = this.#api.PyUnicode_AsUTF8AndSize(text, this.#scratch);
    if (at !== 0) return { at, size: this.#number(0) };
    this.#api.PyErr_Clear();
    return null;
  }

  #bytes(value: PyObject): void {
    this.#copy(codes.bytes, this.#api.PyBytes_AsString(value), this.#api.PyBytes_Size(value));
  }

  #copy(code: number, at: Address, size: number): void {
    this.#out.expect(size);
    this.#out.int32(code, size);
    this.#out.bytes(this.#memory().subarray(at, at + size));
  }

  #list(value: PyObject, depth: number): void {
    const size = this.#api.PyList_Size(value);
    this.#out.int32(codes.list, size);
    for (let index = 0; index < size; index++)
      this.write(this.#api.PyList_GetItem(value, index), depth + 1);
  }

  #tuple(value: PyObject, depth: number): void {
    const size = this.#api.PyTuple_Size(value);
    this.#out.int32(codes.tuple, size);
    for (let index = 0; index < size; index++)
      this.write(this.#api.PyTuple_GetItem(value, index), depth + 1);
  }

  #dict(value: PyObject, depth: number): void {
    this.#out.byte(codes.dict);
    this.#entries(this.#api.PyDict_Next, value, (key, item) => {
      this.write(key, depth + 1);
      this.write(item, depth + 1);
    });
    this.#out.byte(codes.end);
  }

  #set(code: number, value: PyObject, depth: number): void {
    this.#out.int32(code, this.#api.PySet_Size(value));
    this.#entries(this.#api._PySet_NextEntry, value, (key) => this.write(key, depth + 1));
  }

  /** Visit the entries of a table; nothing changes it in the meantime. */
  #entries(
    next: PlainDataExports['PyDict_Next'],
    table: PyObject,
    visit: (key: PyObject, value: PyObject) => void,
  ): void {
    const [position, key, value] = [this.#scratch, this.#scratch + 4, this.#scratch + 8];
    for (let at = 0; ; ) {
      this.#view().setInt32(position, at, true);
      if (next(table, position, key, value) === 0) return;
      at = this.#number(0);
      visit(this.#number(1), this.#number(2));
    }
  }

  #put(text: string): Address {
    const at = this.#api.malloc(text.length + 1);
    if (at === 0) throw this.#tooLarge();
    this.#memory().set(Buffer.from(`${text}\0`), at);
    return at;
  }

  #tooLarge(): NotJson {
    this.#api.PyErr_Clear();
    return new NotJson('returned a value that leaves no memory to read it');
  }

  /** The number in a place of the scratch memory. */
  #number(place: number): number {
    return this.#view().getInt32(this.#scratch + 4 * place, true);
  }

  #memory(): Uint8Array {
    return new Uint8Array(this.#api.memory.buffer);
  }

  #view(): DataView {
    return new DataView(this.#api.memory.buffer);
  }
}
