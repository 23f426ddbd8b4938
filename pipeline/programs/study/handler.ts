/**
 * What the study's server answers, as a function of the request: the page, the pictures of the
 * triplet that a rater is at, votes. Which picture is the fake is in no answer.
 *
 * @module
 */
import {
  type Codec,
  decodeConfig,
  nonNegativeNumber,
  positiveInteger,
  refined,
  strict,
} from "../../core/config.ts";
import { E } from "../../core/fp.ts";
import type { Assets } from "./assets.ts";
import { type Listening, readJson, type Refusal, refuseStrangers, safeHeaders } from "./guard.ts";
import { countShown, orderFor, placesFor } from "./order.ts";
import type { OpenStudy } from "./store.ts";
import { addRater, countRaters, countVotes, findRater, keepVote, pictureOf } from "./votes.ts";

/** What the server serves. */
export interface Served {
  /** The study. */
  readonly study: OpenStudy;
  /** Its page. */
  readonly assets: Assets;
  /** Where it listens. */
  readonly listening: Listening;
  /** The longest that a body may take, in milliseconds. Default 10 000. */
  readonly patience?: number;
}

/** How far a rater is, as the page is told. */
export interface StudyState {
  /** Triplets that each rater sees. */
  readonly total: number;
  /** Triplets that this rater has answered. */
  readonly done: number;
  /** False for somebody who has not begun. */
  readonly begun: boolean;
}

/** Bodies are a few numbers. */
const maxBytes = 1024;
/** So many begin one study; a page that begins without end stops there. */
const maxRaters = 100_000;
const yearInSeconds = 31_536_000;

const vote: Codec<{ readonly number: number; readonly place: number; readonly seconds?: number }> =
  strict({
    number: positiveInteger,
    place: refined(
      "1, 2 or 3",
      (value): value is number => value === 1 || value === 2 || value === 3,
    ),
  }, { seconds: nonNegativeNumber });

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}) =>
  Response.json(value, { status, headers: { ...safeHeaders, ...headers } });

const refuse = ({ status, problem, headers }: Refusal): Response =>
  json(status, { problem }, headers);

const notFound: Refusal = {
  status: 404,
  problem: "Cannot find that: nothing of this study has that address",
};

const bytes = (type: string, content: Uint8Array<ArrayBuffer>): Response =>
  new Response(content, { headers: { ...safeHeaders, "content-type": type } });

const cookieName = ({ study }: Served): string => `study_${study.facts.id}`;

const raterOf = (served: Served, { headers }: Request): number | undefined => {
  const name = cookieName(served);
  const token = (headers.get("cookie") ?? "").split(/;\s*/)
    .find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  return token === undefined ? undefined : findRater(served.study.database, token);
};

const stateOf = ({ study: { database, facts } }: Served, rater?: number): StudyState => ({
  total: countShown(facts),
  done: rater === undefined ? 0 : countVotes(database, rater),
  begun: rater !== undefined,
});

const begin = (served: Served, request: Request): Response => {
  const { study: { database } } = served;
  if (countRaters(database) >= maxRaters) {
    return refuse({ status: 503, problem: "Cannot begin: this study has too many raters" });
  }
  const token = crypto.randomUUID();
  const rater = addRater(database, token, new Date().toISOString());
  const secure = /^https:/.test(request.headers.get("origin") ?? "") ? "; Secure" : "";
  const cookie = `${cookieName(served)}=${token}; Path=/; Max-Age=${yearInSeconds}; HttpOnly; ` +
    `SameSite=Strict${secure}`;
  return json(201, stateOf(served, rater), { "set-cookie": cookie });
};

const answer = async (served: Served, request: Request): Promise<Response> => {
  const { study: { database, facts }, patience = 10_000 } = served;
  const body = await readJson(request, { limit: maxBytes, patience });
  if (E.isLeft(body)) return refuse(body.left);
  const given = decodeConfig(vote, "the vote")(body.right);
  if (E.isLeft(given)) return refuse({ status: 400, problem: given.left.problems.join("; ") });
  const rater = raterOf(served, request);
  if (rater === undefined) {
    const problem = "Cannot keep the vote: nobody has begun in this browser, expected a rater";
    return refuse({ status: 401, problem });
  }
  // From here on nothing waits, so that no other vote of this rater comes between.
  const { number, place, seconds } = given.right, state = stateOf(served, rater);
  const triplet = orderFor(facts, rater)[number - 1];
  const conflict = (problem: string): Response =>
    json(409, { problem: `Cannot keep the vote: ${problem}`, ...state });
  if (number <= state.done) return conflict(`triplet ${number} is answered, votes do not change`);
  if (triplet === undefined || number > state.done + 1) {
    return conflict(`triplet ${number} is not the next one, expected ${state.done + 1}`);
  }
  const slot = placesFor(facts.seed, rater, triplet)[place - 1] ?? 0, at = new Date().toISOString();
  const timed = seconds === undefined ? {} : { seconds };
  const isKept = keepVote(database, { rater, triplet, place, slot, at, ...timed });
  return isKept
    ? json(200, stateOf(served, rater))
    : conflict(`triplet ${number} is answered, votes do not change`);
};

/** A picture of the triplet that the rater is at, or of the next one, which the page loads ahead. */
const showPicture = (
  served: Served,
  request: Request,
  number: number,
  place: number,
): Response => {
  const { study: { database, facts } } = served, rater = raterOf(served, request);
  const { done } = stateOf(served, rater);
  if (rater === undefined || number <= done || number > done + 2) return refuse(notFound);
  const triplet = orderFor(facts, rater)[number - 1];
  const slot = placesFor(facts.seed, rater, triplet ?? 0)[place - 1];
  const png = triplet === undefined || slot === undefined
    ? undefined
    : pictureOf(database, triplet, slot);
  return png ? bytes("image/png", png) : refuse(notFound);
};

type Answer = (request: Request) => Response | Promise<Response>;

const routeOf = (served: Served, path: string): Readonly<Record<string, Answer>> | undefined => {
  const asset = served.assets.get(path);
  if (asset) return { GET: () => bytes(asset.type, asset.bytes) };
  if (path === "/api/study") {
    return { GET: (request) => json(200, stateOf(served, raterOf(served, request))) };
  }
  if (path === "/api/raters") return { POST: (request) => begin(served, request) };
  if (path === "/api/votes") return { POST: (request) => answer(served, request) };
  const [, number, place] = /^\/pictures\/([1-9]\d{0,6})\/([123])\.png$/.exec(path) ?? [];
  return number === undefined ? undefined : {
    GET: (request) => showPicture(served, request, Number(number), Number(place)),
  };
};

/** The handler of a server: every request has an answer, the wrong ones too. */
export const studyHandler = (
  served: Served,
): (request: Request) => Promise<Response> =>
async (request) => {
  const stranger = refuseStrangers(served.listening, request);
  if (stranger) return refuse(stranger);
  const route = routeOf(served, new URL(request.url).pathname);
  if (!route) return refuse(notFound);
  const method = request.method === "HEAD" ? "GET" : request.method;
  const act = Object.hasOwn(route, method) ? route[method] : undefined;
  if (!act) {
    const allow = Object.keys(route).flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name])
      .join(", ");
    const problem = `Cannot ${request.method} that, expected ${allow}`;
    return refuse({ status: 405, problem, headers: { allow } });
  }
  return await act(request);
};

/** What is answered where the handler throws: a full disk, a bug. The cause stays here. */
export const brokenAnswer = (): Response =>
  refuse({ status: 500, problem: "Cannot answer: the server has a problem, try again later" });
