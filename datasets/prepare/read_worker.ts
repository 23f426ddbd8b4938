/**
 * The worker side of `read_beside.ts`: reads and decodes frames, hands their bytes over uncopied.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import { type ReadReply, type ReadRequest, readSamples } from "./read_samples.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<ReadRequest>) => void;
  postMessage: (reply: ReadReply, transfer: Transferable[]) => void;
};

scope.onmessage = async ({ data: { id, places, size } }) => {
  const read = await readSamples(places, size);
  const buffers = E.isLeft(read)
    ? []
    : read.right.flatMap(({ image, landmarks }) => [image.data.buffer, landmarks.buffer]);
  scope.postMessage({ id, read }, [...new Set(buffers)] as ArrayBuffer[]);
};
