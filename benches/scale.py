#!/usr/bin/env python3
"""A large site: cold start, restart, one edit, memory; beside Hugo on the same folder.

    cargo build --release && benches/scale.py [ARTICLES] [EDITS]
    cargo build --release && benches/scale.py 100,10000,100000     is the time of an edit flat?

Makes a folder of ARTICLES (10,000 by default; English and Japanese, about 3 kB of text each, four
categories), then, in one run:

- starts the release build on an empty database until /readyz says that every feed is published;
- starts it again on the database it has;
- saves one article EDITS times (30) by an atomic rename, and as often in place, each time until
  its feed serves the new text (a publication per second at most: saves are a little further apart);
- reads the peak and the resting resident memory;
- lets Hugo (if installed) build the feeds of the same folder, with the same categories and
  languages: once with 50 entries a feed, like Clarion, once as it does by default, with all.

Of several numbers of articles, each is a site of its own; the last lines say by how much an edit
takes longer on the largest than on the smallest.

Prints figures and ratios (Hugo's time by Clarion's), and the load of the machine.
"""

import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SIZES = [int(size) for size in (sys.argv[1] if len(sys.argv) > 1 else "10000").split(",")]
EDITS = int(sys.argv[2]) if len(sys.argv) > 2 else 30
PROGRAM = pathlib.Path("target/release/clarion").resolve()
CATEGORIES = ["Defectors", "North Korean Refugees", "Human Rights Abuses", "Statements"]
WORDS = {
    "en": "river winter family letter border village rice station mother train permit daughter help road night".split(),
    "ja": "川を渡る 冬の夜 家族と 手紙を 国境の 村から 米と水 駅の前で 母親が 列車で 許可証 娘の名 助けを 道を行く 夜明け前".split(),
}


def body(chance, language):
    size, paragraphs = 0, []
    while size < 3000:
        words = [chance.choice(WORDS[language]) for _ in range(45)]
        join = " " if language == "en" else ""
        text = join.join(words) + ("." if language == "en" else "。")
        if chance.random() < 0.3:
            text += " See [the report](https://example.org/report) and **remember** it."
        paragraphs.append(text)
        size += len(text.encode())
    return "\n\n".join(paragraphs)


def article(number, chance):
    language = "ja" if number % 4 == 3 else "en"
    date = f"{2006 + number % 20}-{1 + number % 12:02}-{1 + number % 28:02}T09:00:00+09:00"
    category = CATEGORIES[(number // 4) % 4]
    head = f'+++\ntitle = "Article {number}"\ndate = {date}\ncategories = ["{category}"]\n+++\n'
    return language, head + body(chance, language) + "\n"


def write_articles(folder, articles):
    chance = random.Random(1)
    for number in range(articles):
        language, text = article(number, chance)
        place = folder / f"{number // 500:04}"
        place.mkdir(exist_ok=True)
        (place / f"article-{number}{'.ja' if language == 'ja' else ''}.md").write_text(text)


class Daemon:
    def __init__(self, root, content):
        self.began = time.perf_counter()
        environment = {**os.environ, "CLARION_WEB__LISTEN": "127.0.0.1:0", "CLARION_CONTENT__DIR": str(content), "RUST_LOG": "error"}
        self.program = subprocess.Popen(
            [PROGRAM, "--config", root / "config/clarion.toml"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.program.stdout:
            if "listening on " in line:
                self.base = line.split("listening on ")[1].strip()
                break

    def get(self, path):
        try:
            with urllib.request.urlopen(self.base + path, timeout=30) as answer:
                return answer.status, answer.read()
        except OSError as error:
            return getattr(error, "code", 0), b""

    def wait_until_ready(self):
        while self.get("/readyz")[0] != 200:
            time.sleep(0.005)
        return time.perf_counter() - self.began

    def memory(self, field):
        status = pathlib.Path(f"/proc/{self.program.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024

    def stop(self):
        self.program.terminate()
        self.program.wait()


def edit(daemon, content, in_place, number):
    word = f"edit{number}{'p' if in_place else 'r'}"
    path = content / "fresh.md"
    text = f'+++\ntitle = "Fresh"\ndate = 2026-01-01T00:00:00+09:00\ncategories = ["Defectors"]\n+++\nThe word is {word}.\n'
    if in_place:
        path.write_text(text)
    else:
        (content / ".fresh").write_text(text)
        (content / ".fresh").rename(path)
    began = time.perf_counter()
    while word.encode() not in daemon.get("/category/defectors/feed.xml")[1]:
        if time.perf_counter() - began > 60:
            sys.exit("an edit was not served within a minute")
        time.sleep(0.004)
    took = time.perf_counter() - began
    time.sleep(1.1)
    return took


def told(name, times):
    times = sorted(times)
    worst = times[min(len(times) - 1, int(len(times) * 0.99))]
    print(f"{name:28} p50 {statistics.median(times) * 1000:7.0f} ms   p99 {worst * 1000:7.0f} ms   ({len(times)} times)")
    return statistics.median(times), worst


def hugo(top, content, limit):
    root = top / f"hugo{limit}"
    root.mkdir()
    text = 'baseURL = "http://example.org/"\ntitle = "Peer"\ndefaultContentLanguage = "en"\n'
    text += 'disableKinds = ["sitemap", "robotsTXT", "404"]\n[taxonomies]\ncategory = "categories"\n'
    text += '[outputs]\nhome = ["RSS"]\nterm = ["RSS"]\nsection = []\ntaxonomy = []\npage = []\n'
    text += f"[services.rss]\nlimit = {limit}\n[languages.en]\nweight = 1\n[languages.ja]\nweight = 2\n"
    (root / "hugo.toml").write_text(text)
    (root / "config.toml").write_text(text)
    (root / "content").symlink_to(content)
    shutil.copytree(content, root / "copy")
    (root / "content").unlink()
    (root / "copy").rename(root / "content")
    began = time.perf_counter()
    done = subprocess.run(["hugo", "--quiet", "--source", root], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    took = time.perf_counter() - began
    feeds = [(path.relative_to(root / "public"), path.read_text().count("<item>")) for path in sorted((root / "public").rglob("*.xml"))]
    if done.returncode or not feeds:
        sys.exit(f"Hugo failed: {done.stdout}")
    return took, len(feeds), max(count for _, count in feeds)


def measure(articles):
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        content, root = top / "content", top / "clarion"
        content.mkdir()
        write_articles(content, articles)
        (root / "config/petitions").mkdir(parents=True)
        shutil.copy("config/clarion.toml", root / "config/clarion.toml")
        shutil.copy("config/missions.toml", root / "config/missions.toml")
        os.sync()
        # Files count when they have been still for two seconds.
        time.sleep(2.5)
        print(f"{articles} articles; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        daemon = Daemon(root, content)
        cold = daemon.wait_until_ready()
        print(f"cold start, all feeds        {cold:7.2f} s")
        print(f"memory, peak so far          {daemon.memory('VmHWM'):7.1f} MB")
        daemon.stop()
        daemon = Daemon(root, content)
        print(f"restart, all feeds           {daemon.wait_until_ready():7.2f} s")
        time.sleep(3 + articles / 10_000)
        edit(daemon, content, False, -1)
        renamed = told("edit by atomic rename", [edit(daemon, content, False, number) for number in range(EDITS)])
        in_place = told("edit in place", [edit(daemon, content, True, number) for number in range(EDITS)])
        # What is coded after an edit takes memory for a while.
        time.sleep(10)
        print(f"memory at rest               {daemon.memory('VmRSS'):7.1f} MB   peak {daemon.memory('VmHWM'):.1f} MB")
        daemon.stop()
        if len(SIZES) > 1:
            return renamed, in_place
        if not shutil.which("hugo"):
            print("Hugo is not installed: no ratio")
            return renamed, in_place
        for limit, words in [(50, "50 entries a feed"), (-1, "all entries")]:
            took, feeds, most = hugo(top, content, limit)
            print(f"Hugo, {words:22} {took:7.2f} s   {feeds} feeds, up to {most} entries   ratio Hugo/Clarion {took / cold:.2f}")
        print(f"load {os.getloadavg()[0]:.1f}")
        return renamed, in_place


def main():
    figures = [measure(articles) for articles in SIZES]
    if len(SIZES) == 1:
        return
    for name, way in [("flat? by atomic rename", 0), ("flat? in place", 1)]:
        medians = " ".join(f"{size}: {figure[way][0] * 1000:.0f} ms" for size, figure in zip(SIZES, figures))
        print(f"{name:28} p50 {medians}   the largest by the smallest {figures[-1][way][0] / figures[0][way][0]:.2f}")


main()
