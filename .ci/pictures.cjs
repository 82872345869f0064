// Starts the program on a copy of the sample site, with one category below another and a place
// to give, and takes a picture of each reading page. Tells every page wider than the window.

const { chromium } = require("playwright-core");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const [program, folder] = process.argv.slice(2);
const PAGES = {
  home: "/",
  category: "/category/statements/",
  year: "/2026/",
  month: "/2026/11/",
  tag: "/tag/volunteers/",
  article: "/2011/01/annual-report-2010/",
  series: "/2008/02/the-river-in-february/",
  missing: "/no-such-page/",
  // A browser that goes to a feed is shown a page.
  feed: "/category/statements/feed.xml",
};
const JAPANESE = { tag: "/tag/ボランティア/", series: "/2008/02/the-river-in-february/" };

function site() {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "clarion-pictures-"));
  for (const name of ["config", "content"]) fs.cpSync(name, path.join(root, name), { recursive: true });
  const file = path.join(root, "config/clarion.toml");
  const text = fs.readFileSync(file, "utf-8")
    .replace('# donate_url', 'donate_url').replace('# contact_url', 'contact_url')
    .replace('slug = "annual-reports"\n', 'slug = "annual-reports"\nparent = "statements"\n')
    .replace('title = { en = "Statements", ja = "声明" }', 'title = { en = "Statements", ja = "声明" }\ndescription = { en = "What we say in public, and what we have done.", ja = "私たちの声明と活動の報告です。" }');
  fs.writeFileSync(file, text);
  return root;
}

function start(root) {
  const env = { ...process.env, CLARION_WEB__LISTEN: "127.0.0.1:0" };
  const child = spawn(program, ["--config", path.join(root, "config/clarion.toml")], { env, stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      const found = text.match(/listening on (\S+)/);
      if (found) resolve([child, found[1]]);
    });
  });
}

async function ready(base) {
  for (;;) {
    const answer = await fetch(base + "/2008/02/the-river-in-february/").catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

(async () => {
  fs.mkdirSync(folder, { recursive: true });
  const root = site();
  const [child, base] = await start(root);
  let failures = 0;
  try {
    await ready(base);
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
    for (const width of [390, 1280]) {
      for (const colorScheme of ["light", "dark"]) {
        const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme });
        for (const [prefix, pages] of [["", PAGES], ["/ja", { ...PAGES, ...JAPANESE }]]) {
          for (const [name, address] of Object.entries(pages)) {
            await page.goto(base + prefix + address);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            if (wide > 0) {
              failures += 1;
              console.log(`FAIL ${prefix}${address} is ${wide} pixels too wide at ${width}`);
            }
            const file = `${name}-${prefix ? "ja" : "en"}-${width}-${colorScheme}.png`;
            await page.screenshot({ path: path.join(folder, file), fullPage: true });
          }
        }
        if (colorScheme === "light") {
          await page.emulateMedia({ media: "print" });
          await page.goto(base + PAGES.article);
          await page.screenshot({ path: path.join(folder, `article-en-${width}-print.png`), fullPage: true });
        }
        await page.close();
      }
    }
    await browser.close();
  } finally {
    child.kill();
    fs.rmSync(root, { recursive: true, force: true });
  }
  console.log(`${fs.readdirSync(folder).length} pictures in ${folder}`);
  process.exit(failures ? 1 : 0);
})();
