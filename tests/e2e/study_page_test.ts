/** The page of a study in headless Chromium: raters with a mouse, with a keyboard, and axe's rules. */
import assert from "node:assert/strict";
import type { Browser, Page, SerializedAXNode } from "npm:puppeteer-core@25.16.0";
import axe from "npm:axe-core@4.14.1";
import { onStudy, type Serving, type Sketch, votesIn } from "../pipeline/programs/study/support.ts";
import { inBrowser, withBrowser } from "./browser.ts";

/** A page of the study; what its console complains of is a failure. */
const opened = async (
  browser: Browser,
  { url }: Serving,
  expected: RegExp | undefined,
  test: (page: Page) => Promise<void>,
): Promise<void> => {
  const context = await browser.createBrowserContext(), page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) problems.push(message.text());
  });
  page.setDefaultTimeout(120_000);
  await page.goto(url);
  await test(page);
  assert.deepEqual(problems.filter((problem) => !expected?.test(problem)), []);
  await context.close();
};

const onPage = (
  test: (page: Page, serving: Serving) => Promise<void>,
  { expected, ...sketch }: Sketch & { readonly expected?: RegExp } = {},
): Promise<void> =>
  onStudy(
    (serving) =>
      withBrowser((browser) => opened(browser, serving, expected, (page) => test(page, serving))),
    sketch,
  );

/** Waits until a text is on the screen. */
const sees = async (page: Page, text: string): Promise<void> => {
  for (const since = performance.now();;) {
    const shown = String(await page.evaluate("document.body.innerText").catch(() => ""));
    if (shown.replace(/\s+/g, " ").includes(text)) return;
    assert.ok(performance.now() - since < 60_000, `"${text}" does not come: ${shown}`);
    await new Promise((resume) => setTimeout(resume, 20));
  }
};

const begin = async (page: Page): Promise<void> => {
  await sees(page, "I agree, begin");
  await page.click("#begin");
};

/** Waits for a set of pictures and says in which place red, the fake, is. */
const redPlace = async (page: Page, set: string): Promise<number> => {
  await sees(page, set);
  await page.waitForSelector('#pictures[aria-busy="false"]');
  const colours = await page.evaluate(
    `[...document.querySelectorAll("#pictures img")].map((image) => {
    const context = document.createElement("canvas").getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, 1, 1).data[0];
  })`,
  ) as readonly number[];
  assert.deepEqual(colours.toSorted((a, b) => a - b), [0, 0, 255]);
  return colours.indexOf(255) + 1;
};

const foundIn = ({ study }: Serving): readonly unknown[] =>
  study.database.prepare("SELECT slot FROM vote ORDER BY at").all().map(({ slot }) => slot);

/** What axe finds wrong on the page as it is now, at the levels A and AA of WCAG 2.2. */
const wrongs = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source);
  return await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))",
  ) as readonly string[];
};

Deno.test({
  ...inBrowser("study page: a rater with a mouse finds every fake, leaves, comes back, ends"),
  fn: () =>
    onPage(async (page, serving) => {
      await begin(page);
      for (const number of [1, 2, 3, 4]) {
        const place = await redPlace(page, `Set ${number} of 4`);
        if (number === 3) { // as after a closed tab: the same set again
          await page.reload();
          assert.equal(await redPlace(page, "Set 3 of 4"), place);
        }
        await page.click(`[data-place="${place}"]`, { count: 2 }); // a double click is one answer
      }
      await sees(page, "All 4 answers are kept");
      assert.deepEqual(foundIn(serving), [0, 0, 0, 0]);
      const times = serving.study.database.prepare("SELECT seconds FROM vote").all();
      assert.ok(times.every(({ seconds }) => Number(seconds) > 0 && Number(seconds) < 60));
      await page.reload();
      await sees(page, "All 4 answers are kept");
      await page.click("#another"); // the next rater at this machine
      await begin(page);
      await page.click(`[data-place="${await redPlace(page, "Set 1 of 4")}"]`);
      await sees(page, "Set 2 of 4");
      assert.equal(foundIn(serving).length, 5);
      const raters = serving.study.database.prepare("SELECT count(*) AS n FROM rater").get();
      assert.equal(raters?.["n"], 2);
    }),
});

Deno.test({
  ...inBrowser("study page: a keyboard alone: Tab and Enter, digits, and digits switched off"),
  fn: () =>
    onPage(async (page, serving) => {
      await sees(page, "I agree, begin");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const first = await redPlace(page, "Set 1 of 4");
      for (let i = 0; i < first; i++) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const second = await redPlace(page, "Set 2 of 4");
      await page.keyboard.press(`Digit${second}` as "Digit1");
      const third = await redPlace(page, "Set 3 of 4");
      await page.keyboard.press(String(third) as "1");
      const fourth = await redPlace(page, "Set 4 of 4");
      for (let i = 0; i < 4; i++) await page.keyboard.press("Tab");
      await page.keyboard.press("Space"); // the switch
      await page.keyboard.press(`Digit${fourth}` as "Digit1");
      await new Promise((resume) => setTimeout(resume, 200));
      assert.equal(votesIn(serving), 3);
      await page.keyboard.press("Space");
      await page.keyboard.down("Control");
      await page.keyboard.press(`Digit${fourth}` as "Digit1"); // the browser's, not ours
      await page.keyboard.up("Control");
      assert.equal(votesIn(serving), 3);
      await page.keyboard.press(`Digit${fourth}` as "Digit1");
      await sees(page, "All 4 answers are kept");
      assert.deepEqual(foundIn(serving), [0, 0, 0, 0]);
    }),
});

Deno.test({
  ...inBrowser("study page: each part by axe's rules, and what a screen reader is told"),
  fn: () =>
    onPage(async (page) => {
      await sees(page, "I agree, begin");
      assert.deepEqual(await wrongs(page), []);
      await begin(page);
      await redPlace(page, "Set 1 of 2");
      assert.deepEqual(await wrongs(page), []);
      const told = async (): Promise<string> => {
        const lines: string[] = [];
        const visit = ({ role, name, focused, children }: SerializedAXNode): void => {
          lines.push(`${role} ${name}${focused ? " (focus)" : ""}`);
          children?.forEach(visit);
        };
        visit(await page.accessibility.snapshot() ?? assert.fail("nothing is told"));
        return lines.join("; ");
      };
      const before = await told();
      assert.match(before, /heading Which picture is fake\? Set 1 of 2 \(focus\)/);
      for (const place of [1, 2, 3]) assert.ok(before.includes(`button Picture ${place}`), before);
      await page.keyboard.press("2");
      await redPlace(page, "Set 2 of 2");
      assert.match(await told(), /heading Which picture is fake\? Set 2 of 2 \(focus\)/);
      await page.setRequestInterception(true);
      page.on("request", (request) => request.abort());
      await page.keyboard.press("1");
      await sees(page, "The study does not answer");
      assert.deepEqual(await wrongs(page), []);
    }, { people: 1, expected: /ERR_FAILED/ }),
});

Deno.test({
  ...inBrowser("study page: two tabs of one rater: the second is told where to go on"),
  fn: () =>
    onPage(async (page, serving) => {
      await begin(page);
      await redPlace(page, "Set 1 of 4");
      const other = await page.browserContext().newPage();
      await other.goto(serving.url);
      await redPlace(other, "Set 1 of 4");
      await other.keyboard.press("1");
      await redPlace(other, "Set 2 of 4");
      await page.bringToFront();
      const refused = page.waitForResponse((answer) => answer.status() === 409);
      await page.keyboard.press("3");
      await refused;
      await redPlace(page, "Set 2 of 4");
      const kept = serving.study.database.prepare("SELECT place FROM vote").all();
      assert.deepEqual(kept.map(({ place }) => place), [1]);
    }, { expected: /409/ }),
});
