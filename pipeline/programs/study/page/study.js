/**
 * The page of a user study: three pictures, one answer, the next three. It knows neither which
 * picture is the fake nor whether an answer was right.
 */

/** @param {string} id */
const at = (id) => document.getElementById(id);
const sections = ["intro", "trial", "end", "trouble"];
const buttons = [...document.querySelectorAll(".picture")];

/** Pictures that are loaded or loading, by the number of their triplet. */
const loaded = new Map();
let state = { total: 0, done: 0, begun: false };
/** Pictures are there and nobody has answered yet. */
let open = false;
/** Counts raters on this page: the pictures of one are not taken for those of the next. */
let visit = 1;
/** When they were there, in ms; undefined if the page was hidden since. */
let since;

const show = (id) => {
  for (const each of sections) at(each).hidden = each !== id;
  at(`${id}-title`).focus({ preventScroll: true }); // told to screen readers; Tab starts there
  scrollTo(0, 0);
};

const ask = async (path, body) => {
  const posted = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, posted).catch(() => {
    throw new Error("The study does not answer. Is it still being served?");
  });
  const told = await response.json().catch(() => ({}));
  // 409: that set was answered before, in another tab say; what is told is where to go on.
  if (!response.ok && response.status !== 409) {
    throw new Error(told.problem ?? `The study answered ${response.status}.`);
  }
  return told;
};

const load = (number) => {
  const known = loaded.get(number);
  if (known) return known;
  const pictures = Promise.all([1, 2, 3].map(async (place) => {
    const image = new Image();
    image.alt = ""; // the button's text names it
    image.src = `/pictures/${number}/${place}.png?${visit}`;
    await image.decode().catch(() => {
      throw new Error("A picture could not be loaded.");
    });
    return image;
  }));
  pictures.catch(() => loaded.delete(number));
  loaded.set(number, pictures);
  return pictures;
};

const describe = () => {
  const { total, done } = state, number = Math.min(done + 1, total);
  for (const each of document.querySelectorAll("[data-total]")) each.textContent = String(total);
  at("count").textContent = `Set ${number} of ${total}`;
  at("progress").max = total;
  at("progress").value = done;
};

const next = async () => {
  open = false;
  describe();
  if (!state.begun) return show("intro");
  if (state.done >= state.total) return show("end");
  at("pictures").setAttribute("aria-busy", "true");
  const number = state.done + 1, pictures = await load(number);
  buttons.forEach((button, i) => button.querySelector(".frame").replaceChildren(pictures[i]));
  at("pictures").setAttribute("aria-busy", "false");
  show("trial");
  open = true;
  since = document.hidden ? undefined : performance.now();
  loaded.delete(number - 1);
  if (number < state.total) load(number + 1).catch(() => {}); // it is asked for again when due
};

const attempt = async (act) => {
  try {
    state = { ...state, ...await act() };
    await next();
  } catch (cause) {
    open = false;
    at("problem").textContent = cause.message;
    show("trouble");
  }
};

const choose = (place) => {
  if (!open) return;
  open = false; // one answer a set, however often a key or the mouse is pressed
  const seconds = since === undefined ? {} : { seconds: (performance.now() - since) / 1000 };
  attempt(() => ask("/api/votes", { number: state.done + 1, place, ...seconds }));
};

const start = () => attempt(() => ask("/api/study"));
const begin = () =>
  attempt(async () => {
    await ask("/api/raters", {});
    const told = await ask("/api/study");
    if (told.begun) return told;
    throw new Error("This browser does not keep the cookie that the study needs. Please allow it.");
  });

for (const button of buttons) {
  button.addEventListener("click", (event) => {
    if (event.detail < 2) choose(Number(button.dataset.place)); // not twice by a double click
  });
}
document.addEventListener("keydown", (event) => {
  const { code, key, repeat, ctrlKey, altKey, metaKey } = event;
  if (repeat || ctrlKey || altKey || metaKey || !at("keys").checked || at("trial").hidden) return;
  // By place, for keyboards on which digits are shifted; by key, for all others.
  const [place] = /[123]$/.exec(/^(Digit|Numpad)/.test(code) ? code : key) ?? [];
  if (place && key.length === 1) choose(Number(place));
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) since = undefined;
});
at("begin").addEventListener("click", begin);
at("again").addEventListener("click", start);
at("another").addEventListener("click", async () => {
  loaded.clear();
  visit++;
  state = { ...state, done: 0, begun: false };
  await next();
});
start();
