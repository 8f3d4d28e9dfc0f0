// How GGUF files store weights: as floats, or quantised in blocks.
// Block layout: https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-common.h

interface Storage {
  /** `ggml_type` of a tensor. */
  id: number;
  /** `llama_ftype` of a file whose matrices have this type (`general.file_type`). */
  fileType: number;
  blockElements: number;
  blockBytes: number;
  store(values: Float32Array): Uint8Array;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

export const storedTypes = {
  f32: { id: 0, fileType: 0, blockElements: 1, blockBytes: 4, store: bytesOf },
  f16: {
    ...{ id: 1, fileType: 1, blockElements: 1, blockBytes: 2 },
    store: (values) => bytesOf(new Float16Array(values)),
  },
  bf16: { id: 30, fileType: 32, blockElements: 1, blockBytes: 2, store: roundedToBfloat16 },
  q8_0: { id: 8, fileType: 7, blockElements: 32, blockBytes: 34, store: quantizedToBytes },
} satisfies Record<string, Storage>;

export type StoredType = keyof typeof storedTypes;

/** To the nearest bfloat16, ties to even. */
function roundedToBfloat16(values: Float32Array): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    halves[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bytesOf(halves);
}

/** Blocks of 32: the scale, largest magnitude / 127, as float16, then the multiples as bytes. */
function quantizedToBytes(values: Float32Array): Uint8Array {
  const { blockElements, blockBytes } = storedTypes.q8_0;
  const blocks = values.length / blockElements;
  const bytes = new Uint8Array(blocks * blockBytes);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < blocks; block++) {
    const from = block * blockElements;
    let largest = 0;
    for (let i = from; i < from + blockElements; i++)
      largest = Math.max(largest, Math.abs(values[i]!));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    view.setFloat16(block * blockBytes, scale, true);
    for (let i = 0; i < blockElements; i++) {
      const multiple = Math.fround(values[from + i]! * inverse);
      // Halves are rounded away from zero, as by C's roundf.
      view.setInt8(
        block * blockBytes + 2 + i,
        Math.sign(multiple) * Math.round(Math.abs(multiple)),
      );
    }
  }
  return bytes;
}
