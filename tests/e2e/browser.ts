/** Headless Chromium for tests of pages, where it is installed. */
import { type Browser, launch } from "npm:puppeteer-core@25.16.0";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The path of a Chromium; undefined where there is none. */
export const chromium: string | undefined = (Deno.env.get("PATH") ?? "").split(":")
  .flatMap((folder) => names.map((name) => `${folder}/${name}`))
  .find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });

const required = Deno.env.get("HEADSHOT_REQUIRE_CHROMIUM") === "1";

/** Options of a test that needs it: skipped, with the reason in its name, where it is missing. */
export const inBrowser = (name: string): { readonly name: string; readonly ignore: boolean } =>
  chromium !== undefined || required
    ? { name, ignore: false }
    : { name: `${name} (skipped: needs Chromium)`, ignore: true };

/** Runs a test with a browser of its own and closes it. */
export const withBrowser = async (test: (browser: Browser) => Promise<void>): Promise<void> => {
  if (chromium === undefined) throw new Error("Cannot test the page: there is no Chromium");
  const browser = await launch({
    executablePath: chromium,
    timeout: 120_000, // where every core is taken
    // Its sandbox needs more than a container gives; only our own page is opened.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  try {
    await test(browser);
  } finally {
    await browser.close();
  }
};
