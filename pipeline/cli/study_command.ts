/**
 * `deno task study build | serve DIR | report DIR`.
 *
 * @module
 */
import {
  decodeConfig,
  listOf,
  nonNegativeInteger,
  positiveInteger,
  refined,
  strict,
  text,
} from "../core/config.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import { withSignals } from "../core/signals.ts";
import { nearest } from "../core/words.ts";
import { untrainedNames } from "../programs/methods.ts";
import { buildStudy } from "../programs/study/build.ts";
import { countExclusions, reportStudy, studyMarkdown } from "../programs/study/report.ts";
import { serveStudy } from "../programs/study/serve.ts";
import type { StudySize } from "../programs/study/store.ts";
import type { Command, Outcome } from "./command.ts";
import {
  comparisonOptional,
  comparisonRequired,
  labelled,
  listedSettings,
  protocolOf,
  runProblems,
} from "./labelled_runs.ts";
import { copiesOption } from "./copies_option.ts";
import type { Option, Parsed } from "./options.ts";
import { runOnBackend } from "./run_on_backend.ts";
import { settingsOf, yes } from "./settings.ts";
import { say } from "./terminal.ts";

const options: readonly Option[] = [
  {
    name: "action",
    value: "build | serve DIR | report DIR",
    positional: true,
    repeatable: true,
    help: "make triplets of pictures; ask people which one is fake; count their answers (required)",
  },
  {
    name: "run",
    value: "[NAME=]DIR",
    repeatable: true,
    help: "build: a meta-train run, and what the report calls it (repeatable)",
  },
  { name: "data", value: "synthetic|DIR", help: "build: whose held-out people (the first run's)" },
  { name: "shots", value: "T,T,…", help: "build: frames to learn a person from (8; paper 1,8,32)" },
  {
    name: "videos",
    value: "N",
    help: "build: at most so many people, one video each (20; paper 50)",
    numeric: true,
  },
  {
    name: "frames",
    value: "N",
    help: "build: hold-out frames of each, a triplet a method each (2; paper 32)",
    numeric: true,
  },
  {
    name: "updates",
    value: "N",
    help:
      "build: least number of updates of fine-tuning, beside the preset's epochs (the preset's)",
    numeric: true,
  },
  { ...copiesOption, help: `build: ${copiesOption.help}` },
  {
    name: "methods",
    value: "NAME,NAME,…",
    help: `build: methods without training beside the runs: ${untrainedNames.join(", ")} (none)`,
  },
  {
    name: "ways",
    value: "NAME,NAME,…",
    help:
      "build: how runs learn a person: feed-forward, fine-tuned, which takes minutes each (all)",
  },
  {
    name: "rounds",
    value: "N",
    help: "build: how often a rater sees a person; again, clothes give the fake away (1)",
    numeric: true,
  },
  { name: "seed", value: "N", help: "build: who is drawn, and every order (1)", numeric: true },
  {
    name: "out",
    value: "DIR",
    help: "build: the study's folder; stopped, it goes on there (required)",
  },
  { name: "cache", value: "DIR", help: "build: prepared frames of a folder of videos (the run's)" },
  { name: "backend", value: "NAME", help: "build: auto, webgpu, wasm, native or cpu (auto)" },
  { name: "port", value: "N", help: "serve: where to listen, 0 for any (8000)", numeric: true },
  {
    name: "host",
    value: "ADDRESS",
    help: "serve: the address to listen on (127.0.0.1: this machine alone)",
  },
  {
    name: "origin",
    value: "URL",
    repeatable: true,
    help: "serve: what a proxy calls it, https://study.example.org (repeatable)",
  },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

type Result = E.Either<PipelineError, Outcome>;

const bad = (...problems: readonly string[]): E.Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems });

const BuildSettings = strict(comparisonRequired, {
  ...comparisonOptional,
  ways: listOf(text, 1),
  rounds: positiveInteger,
});
/** Less than the paper's: 1, 8 and 32 shots, 50 people, 32 frames. */
const SMALL_STUDY = { shots: [8], people: 20, frames: 2 };

const port = refined(
  "a port, 0 to 65535",
  (value): value is number => nonNegativeInteger.is(value) && value < 65_536,
);
const origin = refined(
  "an origin, https://study.example.org",
  (value): value is string =>
    typeof value === "string" && URL.canParse(value) &&
    new URL(value).origin === value.replace(/\/$/, ""),
);
const ServeSettings = strict({}, { port, host: text, origin: listOf(origin), json: yes });

const sizeText = (out: string, { triplets, people, methods, excluded }: StudySize): string =>
  [
    `Wrote ${out}: ${triplets} triplets of ${people} people, fakes by ${methods.join(" and by ")}`,
    `Excluded: ${countExclusions(excluded).join("; ") || "nobody"}`,
    `Serve it with: deno task study serve ${out}`,
  ].join("\n");

const build = async (folders: readonly string[], parsed: Parsed): Promise<Result> => {
  if (folders.length > 0) {
    return bad(`Cannot build a study: "${folders[0]}" is no option, expected --out DIR`);
  }
  const decoded = decodeConfig(BuildSettings, "the options")(
    listedSettings(options, parsed, ["shots", "methods", "ways"]),
  );
  if (E.isLeft(decoded)) return decoded;
  const { run, out, data, cache, seed = 1, rounds = 1, backend = "auto", ...rest } = decoded.right;
  const only = rest.ways && { only: rest.ways };
  const runs = run.map((each) => ({ ...labelled(each), ...only })), untrained = rest.methods ?? [];
  const problems = runProblems("build a study", runs, untrained);
  if (problems.length > 0) return bad(...problems);
  const protocol = protocolOf(rest, SMALL_STUDY);
  const places = { ...(data && { data }), ...(cache && { cache }) };
  const result = await runOnBackend(
    backend,
    "Stopping: the people who are done are kept, the same command goes on with the next one",
    buildStudy({ runs, untrained, protocol, seed, rounds, out, ...places }),
    seed,
  );
  return E.map((size: StudySize) => ({ json: { out, ...size }, text: sizeText(out, size) }))(
    result,
  );
};

const folderOf = (action: string, folders: readonly string[]): E.Either<Err<"Config">, string> => {
  const [folder, more] = folders;
  return folder === undefined || more !== undefined
    ? bad(`Cannot ${action} a study: expected one folder, deno task study ${action} DIR`)
    : E.right(folder);
};

const serve = async (folders: readonly string[], parsed: Parsed): Promise<Result> => {
  const folder = folderOf("serve", folders);
  if (E.isLeft(folder)) return folder;
  const decoded = decodeConfig(ServeSettings, "the options")(settingsOf(options, parsed));
  if (E.isLeft(decoded)) return decoded;
  const { port = 8000, host = "127.0.0.1", origin: origins = [] } = decoded.right;
  return await withSignals(async (signal) => {
    const served = await serveStudy({
      folder: folder.right,
      hostname: host,
      port,
      origins,
      onListen: (url) => say(`Serving ${folder.right} at ${url} until Ctrl-C`),
      complain: say,
    })({ signal })();
    return E.map(({ raters, votes }: { readonly raters: number; readonly votes: number }) => ({
      json: { raters, votes },
      text: `Stopped: ${votes} votes of ${raters} raters are in ${folder.right}; count them ` +
        `with: deno task study report ${folder.right}`,
    }))(served);
  });
};

const report = async (folders: readonly string[], parsed: Parsed): Promise<Result> => {
  const folder = folderOf("report", folders);
  if (E.isLeft(folder)) return folder;
  const decoded = decodeConfig(strict({}, { json: yes }), "the options")(parsed);
  if (E.isLeft(decoded)) return decoded;
  const counted = await reportStudy(folder.right)();
  return E.isLeft(counted) ? counted : E.right({
    json: counted.right,
    text: `${studyMarkdown(counted.right)}\n\nWrote ${folder.right}/report.md and report.json`,
  });
};

const actions: Readonly<
  Record<string, (folders: readonly string[], parsed: Parsed) => Promise<Result>>
> = { build, serve, report };

/** The command. */
export const studyCommand: Command = {
  name: "study",
  about: "Asks people which of three pictures is the fake (the user study of section 4.1).",
  options,
  example: "deno task study build --run runs/toy-64-001 --out study",
  run: async (parsed) => {
    const { action: given, ...rest } = parsed;
    const [name = "", ...folders] = Array.isArray(given) ? given : [];
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action) return await action(folders, rest);
    return bad(
      `Cannot run study: ${name === "" ? "nothing is asked for" : `"${name}" is nothing it does`}` +
        `, expected ${nearest(name, Object.keys(actions)) ?? "build, serve or report"}`,
    );
  },
};
