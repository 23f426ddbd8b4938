/** A method with a careless step, to see that leaks are noticed. */
import { type Tensor, tf } from "../../backends/tf.ts";
import type { HasBackend } from "../../pipeline/core/env.ts";
import { F, RTE } from "../../pipeline/core/fp.ts";
import { type Owned, owned } from "../../pipeline/core/owned.ts";
import type { MethodTraining, TrainableMethod } from "../../pipeline/programs/method.ts";
import { trainable } from "../../pipeline/programs/methods.ts";

/** What a step forgets to let go. */
export interface Forgotten {
  /** Tensors. */
  readonly tensors?: number;
  /** Bytes of host memory. */
  readonly bytes?: number;
}

/** The paper's method with a step that forgets something every time. */
export const leakingMethod = ({ tensors = 0, bytes = 0 }: Forgotten): TrainableMethod => {
  const kept: Uint8Array[] = [];
  const forget = ({ backend }: HasBackend) => {
    if (bytes > 0) kept.push(new Uint8Array(bytes).fill(1));
    return backend.run(
      "a careless step",
      (): readonly Tensor[] => Array.from({ length: tensors }, () => tf.zeros([1])),
    );
  };
  return {
    ...trainable.headshot,
    create: (setting, content) =>
      RTE.map((training: Owned<MethodTraining>) =>
        owned({
          ...training.value,
          step: F.flow(training.value.step, RTE.tap(() => forget)),
        }, () => training[Symbol.dispose]())
      )(trainable.headshot.create(setting, content)),
  };
};
