/**
 * TensorBoard's event files: records in the TFRecord format, each a protobuf message `Event` with
 * scalars. No package on npm writes them whole; the wire format and the checksum are packages'.
 *
 * @module
 */
import { crc32c } from "npm:@aws-crypto/crc32c@5.2.0";
import { BinaryWriter, WireType } from "npm:@bufbuild/protobuf@2.10.1/wire";
import type { Figures } from "../../core/events.ts";

/** Field numbers of `event.proto` and `summary.proto`. */
const fields = {
  event: { wallTime: 1, step: 2, fileVersion: 3, summary: 5, session: 7 },
  summary: { value: 1 },
  value: { tag: 1, simpleValue: 2 },
  session: { status: 1 },
};
/** `SessionLog.START`: what an earlier session wrote of this step and later ones counts no more. */
const sessionStart = 1;

/** What one record tells. */
export type LogRecord =
  /** The first record of a file: which version of the format it has. */
  | { readonly kind: "version" }
  /** Training begins, or goes on, after so many steps. */
  | { readonly kind: "start"; readonly step: number }
  /** Figures after a step, by tag: `loss/match`. */
  | { readonly kind: "figures"; readonly step: number; readonly figures: Figures };

const message = (writer: BinaryWriter, field: number, fill: (writer: BinaryWriter) => void) => {
  writer.tag(field, WireType.LengthDelimited).fork();
  fill(writer);
  writer.join();
};

/** The protobuf message of a record. `time` in seconds since 1970. */
const eventBytes = (record: LogRecord, time: number): Uint8Array => {
  const { event, summary, value, session } = fields, writer = new BinaryWriter();
  writer.tag(event.wallTime, WireType.Bit64).double(time);
  if (record.kind !== "version") writer.tag(event.step, WireType.Varint).int64(record.step);
  if (record.kind === "version") {
    writer.tag(event.fileVersion, WireType.LengthDelimited).string("brain.Event:2");
  } else if (record.kind === "start") {
    message(writer, event.session, (inner) => {
      inner.tag(session.status, WireType.Varint).int32(sessionStart);
    });
  } else {
    message(writer, event.summary, (all) => {
      for (const [name, figure] of Object.entries(record.figures)) {
        message(all, summary.value, (inner) => {
          inner.tag(value.tag, WireType.LengthDelimited).string(name);
          inner.tag(value.simpleValue, WireType.Bit32).float(figure);
        });
      }
    });
  }
  return writer.finish();
};

/** The checksum of a record: CRC32C, turned by 15 bits, with a constant added, as in the format. */
export const maskedChecksum = (bytes: Uint8Array): number => {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
};

/** One TFRecord: length, checksum of the length, content, checksum of the content. */
export const logRecord = (record: LogRecord, time: number): Uint8Array => {
  const content = eventBytes(record, time);
  const bytes = new Uint8Array(content.length + 16), view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedChecksum(bytes.subarray(0, 8)), true);
  bytes.set(content, 12);
  view.setUint32(12 + content.length, maskedChecksum(content), true);
  return bytes;
};
