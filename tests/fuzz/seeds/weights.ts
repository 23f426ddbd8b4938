/** Small whole files of weights. */
import { writeSafetensors } from "../../../pipeline/core/safetensors.ts";
import {
  type Floats,
  writeCaffemodel,
  writeTorchLegacy,
  writeTorchZip,
} from "../../models/weights/writers.ts";
import { type Bytes, joined } from "../damage.ts";
import { bundle } from "../mend.ts";
import { always, floats, json, mixed, type Seeds, tiny, utf8 } from "./basics.ts";

/** The first layer of VGG19, as Caffe and as PyTorch call it: weights that can be converted. */
const caffe = floats({ "conv1_1/0": [64, 3, 3, 3], "conv1_1/1": [64] });

const torch = floats({ "features.0.weight": [64, 3, 3, 3], "features.0.bias": [64] });

const halves = joined(
  Uint8Array.of(112, 0, 0, 0, 0, 0, 0, 0),
  utf8(
    '{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},' +
      '"b":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}}'.padEnd(58),
  ),
  new Uint8Array(12),
);

export const safetensors = always(
  writeSafetensors(mixed, { preset: "toy-64", note: 'a "quoted" word' }),
  writeSafetensors({}),
  halves,
);

export const caffemodels = always(
  ...[writeCaffemodel(tiny), writeCaffemodel(tiny, { old: true }), writeCaffemodel(caffe)],
);

const golden = (name: string): Promise<Bytes> =>
  Deno.readFile(new URL(`../../models/weights/golden/${name}`, import.meta.url));

export const zips: Seeds = async () => [
  await golden("tiny_zip.pth"),
  await writeTorchZip(tiny),
  await writeTorchZip(torch),
];

export const legacies: Seeds = async () => [
  await golden("tiny_legacy.pth"),
  writeTorchLegacy(tiny),
  writeTorchLegacy(torch),
];

const manifestOf = (weights: Floats, dtype: string): Bytes => {
  const listed = Object.entries(weights).map(([name, { shape }]) => ({ name, shape, dtype }));
  const shard = Object.values(weights).map(({ data }) =>
    dtype === "float16" ? new Uint8Array(new Float16Array(data).buffer) : new Uint8Array(
      data.buffer,
    )
  );
  return bundle(json([{ paths: ["weights.bin"], weights: listed }]), joined(...shard));
};

export const manifests = always(
  ...[manifestOf(tiny, "float32"), manifestOf(tiny, "float16"), manifestOf(torch, "float32")],
);
