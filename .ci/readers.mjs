// Two readers of npm, rss-parser and feedsmith, for `.ci/peers`: node readers.mjs FOLDER, where
// FOLDER holds node_modules, and a list of addresses on standard input, one a line. Prints one JSON
// object: reader → address → entries, or the mistake it made.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.argv[2] + "/"));
const RssParser = require("rss-parser");
const { parseFeed } = await import(pathToFileURL(require.resolve("feedsmith")));
const addresses = readFileSync(0, "utf8").split("\n").filter(Boolean);
const seconds = (text) => (text ? Math.floor(Date.parse(text) / 1000) : null);

async function rssParser(address) {
  const feed = await new RssParser().parseURL(address);
  // Of an Atom entry it keeps one of the two dates.
  return (feed.items ?? []).map((item) => ({ id: item.guid ?? item.id, title: item.title, link: item.link, published: seconds(item.isoDate) }));
}

async function feedsmith(address) {
  const { format, feed } = parseFeed(await (await fetch(address)).text());
  if (format === "rss") {
    return (feed.items ?? []).map((item) => ({ id: item.guid?.value, title: item.title, link: item.link, published: seconds(item.pubDate) }));
  }
  if (format === "atom") {
    return (feed.entries ?? []).map((entry) => ({
      id: entry.id,
      title: typeof entry.title === "string" ? entry.title : entry.title?.value,
      link: entry.links.find((link) => link.rel === "alternate")?.href,
      published: seconds(entry.published),
      updated: seconds(entry.updated),
    }));
  }
  return (feed.items ?? []).map((item) => ({ id: item.id, title: item.title, link: item.url, published: seconds(item.date_published), updated: seconds(item.date_modified) }));
}

const found = {};
for (const [name, reader, kinds] of [["rss-parser", rssParser, /\.xml$/], ["feedsmith", feedsmith, /./]]) {
  found[name] = {};
  for (const address of addresses.filter((address) => kinds.test(address))) {
    try {
      found[name][address] = await reader(address);
    } catch (error) {
      found[name][address] = String(error);
    }
  }
}
console.log(JSON.stringify(found));
