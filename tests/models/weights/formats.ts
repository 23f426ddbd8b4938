/** Every format of weights that is read: how the tests write it, and with what it is read. */
import assert from "node:assert/strict";
import { readCaffemodel } from "../../../models/weights/caffemodel.ts";
import { readTorchLegacy, readTorchZip } from "../../../models/weights/pth.ts";
import type { HostTensors } from "../../../pipeline/core/elements.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { readSafetensors, writeSafetensors } from "../../../pipeline/core/safetensors.ts";
import { fill } from "../hashed.ts";
import {
  asHost,
  type Floats,
  join,
  type Sides,
  writeCaffemodel,
  writeTorchLegacy,
  writeTorchZip,
} from "./writers.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
type Read = E.Either<string, HostTensors>;

export const shapes = { "a/0": [4, 3, 3, 3], "a/1": [4], "b/0": [5, 4, 3, 3], "b/1": [5] };
export const tiny: Floats = Object.fromEntries(
  Object.entries(shapes).map(([name, shape]) => [
    name,
    { shape, data: fill(name, shape.reduce((a, b) => a * b, 1)) },
  ]),
);

export interface Format {
  readonly write: (sides?: Sides) => Bytes | Promise<Bytes>;
  readonly read: (bytes: Bytes) => Read | Promise<Read>;
}

const safetensorsWith = (sides: Sides): Bytes => {
  const bytes = writeSafetensors(asHost(tiny));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  for (const [name, shape] of Object.entries(shapes)) {
    header[name].shape = sides(name, shape).map(Number);
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(BigUint64Array.of(BigInt(json.length)).buffer);
  return join(start, json, bytes.subarray(8 + length));
};

export const formats: Readonly<Record<string, Format>> = {
  caffemodel: {
    write: (sides) => writeCaffemodel(tiny, sides ? { sides } : {}),
    read: readCaffemodel,
  },
  "caffemodel of 2013": {
    write: (sides) => writeCaffemodel(tiny, { old: true, ...(sides ? { sides } : {}) }),
    read: readCaffemodel,
  },
  "pth (zip)": { write: (sides) => writeTorchZip(tiny, sides), read: readTorchZip },
  "pth (legacy)": { write: (sides) => writeTorchLegacy(tiny, sides), read: readTorchLegacy },
  safetensors: {
    write: (sides) => sides ? safetensorsWith(sides) : writeSafetensors(asHost(tiny)),
    read: (bytes) =>
      E.bimap(({ message }: { message: string }) => message, ({ tensors }: {
        tensors: HostTensors;
      }) => tensors)(readSafetensors(bytes, "x")),
  },
};

/** The values, whatever the shape: caffe before 2014 tells 4 sides always. */
export const assertSame = (found: HostTensors, flat: boolean): void => {
  assert.deepEqual(Object.keys(found).toSorted(), Object.keys(tiny));
  for (const [name, { shape, data }] of Object.entries(tiny)) {
    const { dtype, shape: sides, data: values } = found[name] ?? assert.fail();
    assert.equal(dtype, "F32");
    assert.deepEqual(flat ? sides.filter((side) => side > 1) : sides, shape);
    assert.deepEqual(values, data);
  }
};

/** A refusal in one sentence, in seconds on the busiest machine: an attack would take for ever. */
export const refusal = async (
  read: Format["read"],
  bytes: Bytes,
): Promise<string | undefined> => {
  const start = performance.now(), result = await read(bytes);
  assert.ok(performance.now() - start < 5000, "it took five seconds");
  if (E.isRight(result)) return undefined;
  assert.match(result.left, /^[^\n]{5,400}$/);
  return result.left;
};
