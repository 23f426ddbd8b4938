/**
 * A method of one's own, measured beside the others (section 4): here one that needs no training,
 * because it moves the nearest source frame to where the driver's face is.
 *
 *     deno run -A examples/own_method.ts runs/toy-64-001 comparison
 *
 * @module
 */
import * as hs from "../mod.ts";
const { E, F, RTE } = hs;

/** The middle of a face: the mean of its landmarks. */
const middle = (landmarks: hs.Landmarks): readonly [x: number, y: number] => {
  const mean = (first: number): number =>
    landmarks.reduce((sum, value, i) => i % 2 === first ? sum + value : sum, 0) /
    (landmarks.length / 2);
  return [mean(0), mean(1)];
};

/** How far apart two faces are, their position aside. */
const unlike = (a: hs.Frame, b: hs.Frame): number => {
  const from = middle(a.landmarks), to = middle(b.landmarks);
  return a.landmarks.reduce((sum, value, i) => {
    const [x, y] = from, [u, v] = to;
    const offset = i % 2 === 0 ? x - u : y - v;
    return sum + Math.abs(value - offset - (b.landmarks[i] ?? 0));
  }, 0);
};

/** A picture moved by whole pixels; its border is drawn out. */
const moved = ({ width, height, data }: hs.Image, dx: number, dy: number): hs.Image => {
  const image = hs.makeImage(width, height);
  const within = (at: number, size: number): number => Math.min(size - 1, Math.max(0, at));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (within(y - dy, height) * width + within(x - dx, width));
      image.data.set(data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return image;
};

/** The source frame most like the driving one, its face moved to the place of the driver's. */
export const follow = (sources: readonly hs.Frame[], driving: hs.Frame): hs.Image => {
  const nearest = sources.reduce((best, frame) =>
    unlike(frame, driving) < unlike(best, driving) ? frame : best
  );
  const [x, y] = middle(nearest.landmarks), [u, v] = middle(driving.landmarks);
  return moved(nearest.image, Math.round(u - x), Math.round(v - y));
};

/** The method: `load` gives the trained networks (none), `learn` a person, `render` the frames. */
export const following: hs.TalkingHeadMethod = {
  name: "following",
  about: "moves the nearest source frame to where the face is; nothing is trained",
  load: () =>
    RTE.right(hs.owned<hs.TrainedMethod>({
      fewShot: [{
        name: "moved",
        learn: (sources) =>
          RTE.right(hs.owned<hs.LearntPerson>({
            render: (frames) => RTE.right(frames.map((frame) => follow(sources, frame))),
          }, () => {})),
      }],
    }, () => {})),
};

type Program<A> = hs.ReaderTaskEither<hs.Env, hs.PipelineError, A>;

/** Evaluates a run, the method above and all methods that need no run, on people held out. */
export const compare = (
  run: string,
  dataset: hs.Dataset,
  protocol: hs.Protocol,
  out: string,
): Program<hs.EvaluationReport> => {
  const untrained = hs.methods.filter(({ name }) => !hs.trainableNames.some((of) => of === name));
  return hs.bracket(
    () =>
      F.pipe(
        [hs.trainable.headshot, ...untrained, following],
        RTE.traverseSeqArray((method): Program<hs.NamedMethod> =>
          RTE.map((trained: hs.Owned<hs.TrainedMethod>) => ({ label: method.name, trained }))(
            method.load(run),
          )
        ),
      ),
    (methods: readonly hs.NamedMethod[]): Program<hs.EvaluationReport> =>
      hs.evaluate({ dataset, protocol, methods, judges: {}, out, settings: { run, protocol } }),
    (methods) => methods.forEach(({ trained }) => trained[Symbol.dispose]()),
  )(undefined);
};

if (import.meta.main) {
  const [run = "runs/toy-64-001", out = "comparison"] = Deno.args;
  const backend = await hs.selectBackend("auto")();
  if (E.isLeft(backend)) throw new Error(hs.renderError(backend.left));
  const measure = F.pipe(
    hs.loadModel(run),
    RTE.map(({ config }) => hs.presets[config.preset].architecture.size),
    RTE.flatMap((size): Program<hs.EvaluationReport> =>
      compare(run, hs.syntheticHeads({ size }), { shots: [1, 8], people: 10, frames: 8 }, out)
    ),
  );
  const report = await measure(hs.makeEnv({ backend: backend.right, seed: 1 }))();
  await backend.right.close();
  if (E.isLeft(report)) throw new Error(hs.renderError(report.left));
}
