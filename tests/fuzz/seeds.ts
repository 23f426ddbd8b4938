/** Small whole files of every kind that is read, made on the spot. */
export * from "./seeds/weights.ts";
export * from "./seeds/pictures.ts";
export * from "./seeds/datasets.ts";
export * from "./seeds/runs.ts";
