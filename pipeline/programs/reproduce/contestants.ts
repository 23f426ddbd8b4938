/**
 * Whose networks a table of times is about: those of runs, and untrained ones where there is none.
 *
 * @module
 */
import type { PresetName } from "../../../models/presets.ts";
import type { Env } from "../../core/env.ts";
import type { Err, PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import type { Owned } from "../../core/owned.ts";
import { configOf } from "../evaluate_runs.ts";
import type { TrainableName, TrainedMethod } from "../method.ts";
import { trainable } from "../methods.ts";
import { decodeRunConfig, type Overrides, type RunConfig } from "../run_config.ts";
import { untrainedModel } from "../untrained_model.ts";

/** Whose networks are wanted. */
export interface Wanted {
  /** Sizes of all networks. */
  readonly preset: PresetName;
  /** Settings of networks that no run is given for: content networks. */
  readonly settings: Overrides;
  /** Runs, at most one a method. */
  readonly runs: readonly string[];
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** The networks of one method. */
export interface Contestant {
  readonly method: TrainableName;
  readonly config: RunConfig;
  /** Where they come from: a run, or nowhere. */
  readonly run?: string;
}

const bad = (problem: string): Err<"Config"> => ({ _tag: "Config", problems: [problem] });

/** Everybody who is timed; `Config` where runs do not fit together or weights are missing. */
export const contestants = (
  methods: readonly TrainableName[],
  { preset, settings, runs }: Wanted,
): Program<readonly Contestant[]> =>
  F.pipe(
    runs,
    RTE.traverseSeqArray((run) =>
      F.pipe(
        configOf({ label: run, run }),
        RTE.map((config): Contestant => ({ method: config.method, config, run })),
      )
    ),
    RTE.flatMap((given): Program<readonly Contestant[]> => {
      const odd = given.find(({ config }) => config.preset !== preset);
      const twice = given.find(({ method }, i) =>
        given.some((b, k) => k < i && b.method === method)
      );
      if (odd) {
        return RTE.left(bad(
          `Cannot time ${odd.run}: its preset is ${odd.config.preset}, expected ${preset}`,
        ));
      }
      if (twice) {
        return RTE.left(bad(
          `Cannot time ${twice.run}: there is another run of ${twice.method}, expected one`,
        ));
      }
      return RTE.fromEither(F.pipe(
        methods,
        E.traverseArray((method): E.Either<PipelineError, Contestant> => {
          const known = given.find((each) => each.method === method);
          return known ? E.right(known) : E.map((config: RunConfig) => ({ method, config }))(
            decodeRunConfig(settings, { preset, method }),
          );
        }),
      ));
    }),
  );

/** Its networks on the device; the caller owns them. */
export const openContestant = (
  { method, config, run }: Contestant,
): Program<Owned<TrainedMethod>> =>
  run === undefined
    ? F.pipe(untrainedModel(trainable[method], config), RTE.flatMap(trainable[method].open))
    : trainable[method].load(run);
