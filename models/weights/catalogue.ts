/**
 * Where the weights of frozen networks come from: addresses of those who published them, with as
 * much of a SHA-256 as they tell, and licences.
 *
 * @module
 */
import type { ConvertOptions } from "./convert.ts";
import type { NetworkName } from "./architecture.ts";

/** A file that can be fetched. */
export interface Source {
  readonly url: string;
  /** SHA-256 in hex, as much as the publisher tells: the name of the file holds 8 digits. */
  readonly sha256: string;
}

/** Weights by the name under which they are fetched and listed. */
export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  /** The network that they are of; none for those that npm packages bring. */
  readonly network?: NetworkName;
  /** Which loss or metric they serve. */
  readonly serves: string;
  readonly licence: string;
  /** Where they are from, in words. */
  readonly origin: string;
  /** Where to fetch them; nowhere where no sum of the file is known, or where npm brings them. */
  readonly source?: Source;
  /** What the reader cannot see in the file. */
  readonly options?: ConvertOptions;
  /** Installed with an npm package. */
  readonly npm?: string;
}

/** All of them. */
export const catalogue: readonly CatalogueEntry[] = [
  {
    name: "vgg19",
    title: "VGG19 (Caffe)",
    network: "vgg19",
    serves: "content loss of paper-256",
    licence: "CC BY 4.0",
    origin: "Visual Geometry Group, Oxford; as a .pth by J. Johnson",
    source: {
      url: "https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth",
      sha256: "d01eb7cb",
    },
    options: { as: "vgg19", preprocessing: "caffe" },
  },
  {
    name: "vgg19-torchvision",
    title: "VGG19 (torchvision)",
    network: "vgg19",
    serves: "content loss (smaller activations than the paper's)",
    licence: "BSD 3-Clause",
    origin: "torchvision",
    source: {
      url: "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
      sha256: "dcbb9e9d",
    },
    options: { as: "vgg19", preprocessing: "imagenet" },
  },
  {
    name: "vggface",
    title: "VGGFace (VGG16)",
    network: "vggface",
    serves: "content loss of paper-256",
    licence: "non-commercial research only",
    origin: "Visual Geometry Group, Oxford: VGG_FACE.caffemodel in vgg_face_caffe.tar.gz",
    options: { as: "vggface", preprocessing: "caffe" },
  },
  {
    name: "fid",
    title: "Inception v3 of FID",
    network: "inception",
    serves: "FID",
    licence: "Apache 2.0",
    origin: "TensorFlow, 2015-12-05; as a .pth by M. Seitzer",
    source: {
      url: "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/" +
        "pt_inception-2015-12-05-6726825d.pth",
      sha256: "6726825d",
    },
    options: { as: "inception" },
  },
  {
    name: "mobileface",
    title: "MobileFace",
    network: "mobileface",
    serves: "CSIM",
    licence: "MIT (its repository's)",
    origin: "becauseofAI; as a TensorFlow.js graph by V. Mandic",
    options: { as: "mobileface" },
  },
  {
    name: "arcface",
    title: "ArcFace (residual network of 18 to 100 layers)",
    network: "arcface",
    serves: "CSIM (the paper's)",
    licence: "non-commercial research only",
    origin: "insightface: backbone.pth of arcface_torch",
    options: { as: "arcface" },
  },
  {
    name: "faceres",
    title: "FaceRes",
    serves: "content loss of toy-64 and small-128",
    licence: "MIT (the package's)",
    origin: "HSE_FaceRec_tf by A. Savchenko; as a TensorFlow.js graph by V. Mandic",
    npm: "@vladmandic/human 3.3.6",
  },
  {
    name: "face-api",
    title: "face-api (detector, 68 landmarks, descriptor of 128 values)",
    serves: "landmarks, CSIM",
    licence: "MIT (the package's)",
    origin: "V. Mühler, V. Mandic",
    npm: "@vladmandic/face-api 1.7.15",
  },
];

/** The names of all. */
export const catalogueNames: readonly string[] = catalogue.map(({ name }) => name);
