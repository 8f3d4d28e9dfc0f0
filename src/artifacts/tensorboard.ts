// TensorBoard event files: scalars by tag and step, as TFRecords of Event messages. No maintained
// writer for Node exists without TensorFlow; this is the part of the format that scalars need.
// Formats: tensorboard/compat/proto/{event,summary}.proto, tensorflow/core/lib/io/record_writer.h.

import protobuf from 'protobufjs';

/** A number at a step. */
export interface Scalar {
  tag: string;
  step: number;
  value: number;
}

const field = (id: number, type: string) => ({ id, type });
const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: field(1, 'double'),
        step: field(2, 'int64'),
        fileVersion: field(3, 'string'),
        summary: field(5, 'Summary'),
      },
    },
    Summary: { fields: { value: { ...field(1, 'Value'), rule: 'repeated' } } },
    Value: { fields: { tag: field(1, 'string'), simpleValue: field(2, 'float') } },
  },
});
const eventType = root.lookupType('Event');

/**
 * The bytes of an event file. Its wall times are the steps, in seconds, so that the same run gives
 * the same bytes: plot by step.
 */
export function encodeEvents(scalars: readonly Scalar[]): Uint8Array {
  const version = record(eventType.encode({ fileVersion: 'brain.Event:2' }).finish());
  const events = scalars.map(({ tag, step, value }) => {
    const summary = { value: [{ tag, simpleValue: value }] };
    return record(eventType.encode({ wallTime: step, step, summary }).finish());
  });
  return Buffer.concat([version, ...events]);
}

/** A TFRecord: length, its checksum, the data, its checksum. */
function record(data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(data.length + 16);
  bytes.writeBigUInt64LE(BigInt(data.length));
  bytes.writeUInt32LE(maskedCrc(bytes.subarray(0, 8)), 8);
  bytes.set(data, 12);
  bytes.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return bytes;
}

/** CRC-32C (Castagnoli) by byte. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** The checksum in the form that records use: rotated, plus a constant. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255]! ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
