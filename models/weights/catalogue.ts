/**
 * Where the weights of frozen networks come from: addresses of those who published them, with as
 * much of a SHA-256 as is known, and licences. None of these files was downloaded for this list:
 * each entry says what was read in public documents and what is only remembered.
 *
 * @module
 */
import type { ConvertOptions } from "./convert.ts";
import type { NetworkName } from "./architecture.ts";

/** A file that can be fetched. */
export interface Source {
  readonly url: string;
  /** SHA-256 in hex: all 64 digits, or the 8 that stand in the name of the file. */
  readonly sha256: string;
}

/** How an entry is known. */
export interface Evidence {
  /** What was read in public documents, and in which. */
  readonly read: string;
  /** What nobody looked up; nothing where all of it was. */
  readonly remembered?: string;
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
  /** A second file that belongs to the first one. */
  readonly also?: Source;
  /** What the reader cannot see in the file. */
  readonly options?: ConvertOptions;
  /** Installed with an npm package. */
  readonly npm?: string;
  readonly evidence: Evidence;
}

/** Where the learnt weights of LPIPS lie, version 0.1. */
const perceptualSimilarity =
  "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1";

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
    evidence: {
      read:
        "address, preprocessing (projects of style transfer; the converter's README); 8 digits of the sum, in the name",
      remembered: "licence",
    },
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
      sha256: "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    },
    options: { as: "vgg19", preprocessing: "imagenet" },
    evidence: {
      read: "address, whole sum and 574,673,361 bytes (the same in ten repositories), licence",
    },
  },
  {
    name: "vggface",
    title: "VGGFace (VGG16)",
    network: "vggface",
    serves: "content loss of paper-256",
    licence: "non-commercial research only",
    origin: "Visual Geometry Group, Oxford: VGG_FACE.caffemodel in vgg_face_caffe.tar.gz",
    options: { as: "vggface", preprocessing: "caffe" },
    evidence: {
      read:
        "archive https://www.robots.ox.ac.uk/~vgg/software/vgg_face/src/vgg_face_caffe.tar.gz (many projects), licence (projects that use it); its sum is nowhere",
    },
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
      sha256: "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    },
    options: { as: "inception" },
    evidence: {
      read:
        "address (pytorch-fid's source), whole sum and 95,628,359 bytes (the same in ten repositories), licence (pytorch-fid's README)",
    },
  },
  {
    name: "mobileface",
    title: "MobileFace",
    network: "mobileface",
    serves: "CSIM",
    licence: "MIT (its repository's)",
    origin: "becauseofAI; as a TensorFlow.js graph by V. Mandic",
    options: { as: "mobileface" },
    evidence: {
      read: "origin (a copy of its repository)",
      remembered: "licence",
    },
  },
  {
    name: "arcface",
    title: "ArcFace (residual network of 18 to 100 layers)",
    network: "arcface",
    serves: "CSIM (the paper's)",
    licence: "non-commercial research only",
    origin: "insightface: backbone.pth of arcface_torch",
    options: { as: "arcface" },
    evidence: {
      read: "licence of insightface's models (its page in the Python index); no sum",
      remembered: "name of the file",
    },
  },
  {
    name: "lpips-alexnet",
    title: "LPIPS 0.1 with AlexNet",
    network: "lpips",
    serves: "LPIPS",
    licence: "BSD 3-Clause (AlexNet), BSD 2-Clause (weights of layers)",
    origin: "torchvision (alexnet-owt); R. Zhang's PerceptualSimilarity (lpips/weights/v0.1)",
    source: {
      url: "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
      sha256: "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    },
    also: {
      url: `${perceptualSimilarity}/alex.pth`,
      sha256: "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    },
    options: { as: "lpips" },
    evidence: {
      read:
        "addresses, whole sums, 244,408,911 and 6,009 bytes (the same in ten public documents each), licences (the repository of the weights of layers; projects that use AlexNet)",
    },
  },
  {
    name: "lpips-vgg16",
    title: "LPIPS 0.1 with VGG16",
    network: "lpips",
    serves: "LPIPS",
    licence: "BSD 3-Clause (VGG16), BSD 2-Clause (weights of layers)",
    origin: "torchvision (VGG16); R. Zhang's PerceptualSimilarity (lpips/weights/v0.1)",
    source: {
      url: "https://download.pytorch.org/models/vgg16-397923af.pth",
      sha256: "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    },
    also: {
      url: `${perceptualSimilarity}/vgg.pth`,
      sha256: "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    },
    options: { as: "lpips" },
    evidence: {
      read:
        "addresses, whole sums (the same in nine of ten public documents, and in ten), 553,433,881 and 7,289 bytes, licences (as with AlexNet)",
    },
  },
  {
    name: "faceres",
    title: "FaceRes",
    serves: "content loss of toy-64 and small-128",
    licence: "MIT (the package's)",
    origin: "HSE_FaceRec_tf by A. Savchenko; as a TensorFlow.js graph by V. Mandic",
    npm: "@vladmandic/human 3.3.6",
    evidence: {
      read: "origin (in the file itself), licence (the package)",
    },
  },
  {
    name: "face-api",
    title: "face-api (detector, 68 landmarks, descriptor of 128 values)",
    serves: "landmarks, CSIM",
    licence: "MIT (the package's)",
    origin: "V. Mühler, V. Mandic",
    npm: "@vladmandic/face-api 1.7.15",
    evidence: {
      read: "licence (the package)",
    },
  },
];

/** The files that an entry is made of; none where no sum of them is known. */
export const sourcesOf = ({ source, also }: CatalogueEntry): readonly Source[] =>
  [source, also].flatMap((each) => each ?? []);

/** How much of a file's sum is known: a whole one pins the file, 8 digits only its name's promise. */
export const sumOf = (entry: CatalogueEntry): "whole" | "8 of 64 digits" | "unknown" => {
  const sources = sourcesOf(entry);
  if (sources.length === 0) return "unknown";
  return sources.every(({ sha256 }) => sha256.length === 64) ? "whole" : "8 of 64 digits";
};

/** The names of all. */
export const catalogueNames: readonly string[] = catalogue.map(({ name }) => name);
