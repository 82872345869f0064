"""Readers follow two WordPress sites, and then the Clarion that took their place:
migration.py PROGRAM FOLDER. See `.ci/migration`."""

import asyncio
import json
import mailbox
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

PROGRAM = os.path.abspath(sys.argv[1])
WORK = pathlib.Path(sys.argv[2])
SITE = pathlib.Path(__file__).parent.parent / "tests/wordpress/site"
OLD = {language: (WORK / language / "url").read_text().strip() for language in ("en", "ja")}
PORT = OLD["en"].rsplit(":", 1)[1]

# The addresses that are followed, and whether the article that is added later belongs to each.
FOLLOWED = {
    "en": {
        "/feed/": 1,
        "/feed": 1,
        "/?feed=rss2": 1,
        "/feed/rss2/": 1,
        "/feed/rdf/": 1,
        "/feed/rss/": 1,
        "/feed/atom/": 1,
        "/?feed=atom": 1,
        "/wp-rss2.php": 1,
        "/category/news/feed/": 1,
        "/category/news/feed/atom/": 1,
        "/category/villages/far-villages/feed/": 0,
        "/category/villages/feed/": 0,
        "/?feed=rss2&cat=2": 1,
        "/?feed=atom&cat=5": 1,
        "/?feed=rss2&cat=4": 0,
        "/?feed=rss2&category_name=news": 1,
        "/comments/feed/": 0,
        "/comments/feed/atom/": 0,
        "/2025/10/day-27/feed/": 0,
        "/tag/winter/feed/": 1,
        "/tag/food-fuel/feed/atom/": 0,
        "/?feed=rss2&tag=winter": 1,
        "/author/hana/feed/": 1,
        "/?feed=rss2&author_name=hana": 1,
        "/2025/feed/": 0,
        "/2025/03/feed/": 0,
        "/?feed=rss2&m=202503": 0,
        "/category/news,statements/feed/": 1,
        "/category/news+statements/feed/": 1,
        "/?feed=rss2&cat=2,5": 1,
    },
    "ja": {
        "/feed/": 1,
        "/feed/atom/": 1,
        "/?feed=rss2&cat=2": 1,
        "/?feed=rss2&cat=3": 0,
        "/?feed=atom&cat=4": 1,
        "/?feed=rss2&cat=5": 0,
        "/category/%e5%a3%b0%e6%98%8e/feed/": 1,
        "/category/%E5%A3%B0%E6%98%8E/feed/atom/": 1,
        "/category/villages/%e9%81%a0%e3%81%84%e6%9d%91/feed/": 0,
        "/tag/%e5%86%ac/feed/": 1,
        "/author/k-lee/feed/": 0,
        "/comments/feed/": 0,
        "/2025/03/feed/": 0,
    },
}

# WordPress redirects, and sfeed follows no redirect.
REDIRECTED = {("/wp-rss2.php", "sfeed")}

# These have no `guid` in WordPress, and what readers take for one may come again, once.
WITHOUT_GUID = {"/feed/rdf/", "/feed/rss/"}

ADDED = {
    "en": 'title = "After the move"\ndate = {date}\ncategories = ["News", "Statements"]\ntags = ["winter"]\nauthors = ["Hana Mori"]',
    "ja": 'title = "引っ越しのあと"\ndate = {date}\nlang = "ja"\ncategories = ["声明", "villages"]\ntags = ["冬"]\nauthors = ["森 花"]',
}

CONFIG = """
[site]
title = {{ en = "The harbour diary", ja = "港の日記" }}
base_url = "{base}"
languages = {languages}
time_zone = "Asia/Tokyo"
postal_address = "1-1 Example, Tokyo"
[staff]
mail = ["office@example.org"]
[content]
dir = "content"
[feed]
items = 10                                      # as WordPress showed: Settings, Reading
[web]
listen = "{listen}"
[database]
url = "sqlite:clarion.db"
[vault]
key_file = "clarion.key"
[mail]
from = "Harbour <news@example.org>"
envelope = "bounces+{{token}}@example.org"
transport = {{ kind = "file", dir = "mail" }}
"""

failures = []


def site(*arguments):
    return subprocess.run([SITE, arguments[0], WORK / arguments[1]], check=True, stdout=subprocess.PIPE).stdout


def get(url, **headers):
    """Status, headers and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, b""


# The readers. Each has a folder for an address, as a person has who follows just that one.


class Newsboat:
    name = "newsboat"

    def __init__(self, folder, url):
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "urls").write_text(url + "\n")
        (folder / "config").write_text("")

    def poll(self):
        command = ["newsboat", "-u", self.folder / "urls", "-c", self.folder / "cache.db", "-C", self.folder / "config", "-x", "reload"]
        subprocess.run(command, env={**os.environ, "TERM": "xterm"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def take(self):
        """The ids that are unread, which are read thereby, and all ids there are."""
        with sqlite3.connect(self.folder / "cache.db") as cache:
            unread = [row[0] for row in cache.execute("SELECT guid FROM rss_item WHERE unread = 1 AND deleted = 0")]
            known = {row[0] for row in cache.execute("SELECT guid FROM rss_item WHERE deleted = 0")}
            cache.execute("UPDATE rss_item SET unread = 0")
        return unread, known


class Rss2email:
    name = "rss2email"

    def __init__(self, folder, url):
        self.folder = folder
        for part in ("cur", "new", "tmp"):
            (folder / "mails" / part).mkdir(parents=True)
        (folder / "r2e.cfg").write_text(
            f"[DEFAULT]\nto = reader@example.org\nemail-protocol = maildir\nmaildir-path = .\nmaildir-mailbox = mails\nverbose = error\n[feed.one]\nurl = {url}\n"
        )

    def poll(self):
        subprocess.run(["r2e", "-c", "r2e.cfg", "-d", "r2e.json", "run"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def take(self):
        mails = mailbox.Maildir(self.folder / "mails")
        new = [mails[key]["X-RSS-ID"] for key in mails.keys()]
        mails.clear()
        return new, set(json.loads((self.folder / "r2e.json").read_text())["feeds"][0]["seen"])


class Sfeed:
    """Its own `sfeed_update`, which keeps what it has seen in a file."""

    name = "sfeed"

    def __init__(self, folder, url):
        self.folder = folder
        folder.mkdir(parents=True)
        self.known = set()
        fetch = 'fetch() { curl -s -f -L --max-redirs 0 -m 15 "$2"; }'
        (folder / "sfeedrc").write_text(f"sfeedpath={folder}/feeds\n{fetch}\nfeeds() {{ feed one '{url}'; }}\n")

    def poll(self):
        subprocess.run(["sfeed_update", self.folder / "sfeedrc"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def take(self):
        path = self.folder / "feeds/one"
        ids = [line.split("\t")[5] for line in path.read_text().split("\n") if line] if path.exists() else []
        new, self.known = [uid for uid in set(ids) if uid not in self.known], set(ids)
        return new, self.known


READERS = (Newsboat, Rss2email, Sfeed)


class Following:
    """Every reader at every address of some sites."""

    def __init__(self, folder, languages):
        self.readers = {
            (language, address, kind.name): kind(folder / f"{language}-{number}-{kind.name}", OLD[language] + address)
            for language in languages
            for number, address in enumerate(FOLLOWED[language])
            for kind in READERS
        }

    def poll(self):
        """What is new to each, and what each has."""
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda one: one.poll(), self.readers.values()))
        return {key: one.take() for key, one in self.readers.items()}


class Forwarder(threading.Thread):
    """Leads connections to an old host's address to another, as a name is pointed elsewhere."""

    def __init__(self, host, to):
        super().__init__(daemon=True)
        self.host, self.to, self.ready = host, to, threading.Event()
        self.start()
        self.ready.wait()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self.forward, self.host, int(PORT))
        self.ready.set()
        await self.over.wait()
        server.close()

    async def forward(self, reader, writer):
        other_reader, other_writer = await asyncio.open_connection(self.to, int(PORT))
        await asyncio.gather(self.pipe(reader, other_writer), self.pipe(other_reader, writer), return_exceptions=True)

    async def pipe(self, reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    def stop(self):
        self.loop.call_soon_threadsafe(self.over.set)
        self.join(10)


class Clarion:
    """The program in a folder, with what the exports of some sites became."""

    def __init__(self, folder, languages, host):
        self.folder, self.host, self.base = folder, host, f"http://{host}:{PORT}"
        folder.mkdir()
        config = CONFIG.format(base=self.base, languages=json.dumps(languages), listen=f"{host}:{PORT}")
        (folder / "clarion.toml").write_text(config)
        for language in languages:
            (folder / "export.xml").write_bytes((WORK / f"{language}.xml").read_bytes())
            report = json.loads(self.run("import", "wordpress", "export.xml", "--into", "content", "--language", language, "--json"))
            print(f"  {language}: {report['new']} articles imported")
            # What it prints is pasted, as staff do.
            with (folder / "clarion.toml").open("a") as file:
                file.write(f"\n{report['legacy_toml']}\n\n{report['categories_toml']}\n")
        problems = [p for p in json.loads(self.run("check", "--json")) if p["severity"] == "error" or "wp_id" in p["message"]]
        failures.extend(f"check: {p['message']}" for p in problems)

    def run(self, *arguments):
        return subprocess.run([PROGRAM, "--config", "clarion.toml", *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "--config", "clarion.toml"], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "listening on " in line:
                break
        self.await_feed(lambda feed: feed["items"])

    def await_feed(self, is_there, path="/feed.json"):
        for _ in range(300):
            status, _, body = get(self.base + path)
            if status == 200 and is_there(json.loads(body)):
                return
            time.sleep(0.1)
        sys.exit(f"{path} never had what it should")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def tell(what, polled, expected):
    """Compares what was new to each with what should be; prints a line per reader."""
    for kind in READERS:
        news = {key: len(new) for key, (new, _) in polled.items() if key[2] == kind.name and key[1:] not in REDIRECTED}
        wrong = {key: count for key, count in news.items() if count != expected(key)}
        print(f"  {what}: {kind.name:<10} {len(news)} addresses, {sum(news.values())} new entries, {len(wrong)} addresses not as they should be")
        for (language, address, name), count in wrong.items():
            failures.append(f"{what}: {name} {language} {address}: {count} new, {expected((language, address, name))} should be: {polled[language, address, name][0][:2]}")


def check_validators(languages, before):
    """What a reader stored of WordPress gets no 304 from Clarion; what it then stores does."""
    count = 0
    for language in languages:
        for address in FOLLOWED[language]:
            url, old = OLD[language] + address, before[language, address]
            for stored in ({"If-None-Match": old["ETag"], "If-Modified-Since": old["Last-Modified"]}, {"If-None-Match": f"W/{old['ETag']}"}, {"If-Modified-Since": old["Last-Modified"]}):
                status, headers, _ = get(url, **stored)
                if status != 200:
                    failures.append(f"{url} with {stored} of WordPress answers {status}")
            again = {name: headers[of] for name, of in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")) if headers[of]}
            if status == 200 and get(url, **again)[0] != 304:
                failures.append(f"{url} with its own {again} is no 304")
            count += 1
    print(f"  validators of WordPress give 200, Clarion's own 304, at {count} addresses")


def rehearse(name, languages, host, subscribed, before):
    """One move: readers as they were the day before, Clarion in the place of the old sites."""
    print(f"{name}:")
    following, known = subscribed(WORK / f"readers-{host}", languages)
    clarion = Clarion(WORK / f"clarion-{host}", languages, host)
    clarion.start()
    forwarders = [Forwarder(OLD[language].split("/")[2].split(":")[0], host) for language in languages if OLD[language] != clarion.base]
    try:
        polled = following.poll()
        tell("after the move", {key: polled[key] for key in polled if key[1] not in WITHOUT_GUID}, lambda key: 0)
        for key in sorted(key for key in polled if key[1] in WITHOUT_GUID):
            print(f"  without a guid in WordPress: {key[2]} {key[1]}: {len(polled[key][0])} entries come again")
        lost = {key: known[key] - now for key, (_, now) in polled.items() if known[key] - now}
        failures.extend(f"lost: {key} {sorted(ids)[:2]}" for key, ids in lost.items())
        check_validators(languages, before)
        for language in languages:
            date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            (clarion.folder / f"content/added.{language}.md").write_text(f"+++\n{ADDED[language].format(date=date)}\n+++\nWe have moved.\n")
        for language in languages:
            path = "/feed.json" if language == languages[0] else f"/{language}/feed.json"
            clarion.await_feed(lambda feed: any("moved" in item.get("content_html", "") for item in feed["items"]), path)
        time.sleep(1.5)  # every feed has been published once the next second has begun
        tell("an article more", following.poll(), lambda key: FOLLOWED[key[0]][key[1]])
    finally:
        for forwarder in forwarders:
            forwarder.stop()
        clarion.stop()


def main():
    before = {(language, address): get(OLD[language] + address)[1] for language in FOLLOWED for address in FOLLOWED[language]}
    followings = {}
    for host, languages in (("127.0.0.2", ["en"]), ("127.0.0.1", ["en", "ja"])):
        following = Following(WORK / f"readers-{host}", languages)
        first = following.poll()
        empty = [key for key, (new, _) in first.items() if not new]
        failures.extend(f"WordPress gave nothing to {key}" for key in empty if key[1:] not in REDIRECTED)
        print(f"{len(first)} subscriptions to WordPress, {sum(len(new) for new, _ in first.values())} entries")
        tell("WordPress again", following.poll(), lambda key: 0)
        followings[host] = (following, {key: known for key, (_, known) in first.items()})
    for language in FOLLOWED:
        (WORK / f"{language}.xml").write_bytes(site("export", language))
        site("down", language)
    rehearse("one site", ["en"], "127.0.0.2", lambda *_: followings["127.0.0.2"], before)
    rehearse("two sites in one", ["en", "ja"], "127.0.0.1", lambda *_: followings["127.0.0.1"], before)
    for failure in failures:
        print("FAIL", failure)
    print("nothing new, nothing lost" if not failures else f"{len(failures)} faults")
    sys.exit(bool(failures))


main()
