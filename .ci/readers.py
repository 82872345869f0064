"""How each reader is asked to read feeds, and what it understood: address → entries.

An entry is a dict of `id`, `title`, `link`, `published` and perhaps `updated` (Unix seconds); a
key that a reader does not tell is left out. Entries stand in the order in which the reader has
them. All read over HTTP from the running program, but sfeed and feed-rs, which read a file: theirs
are the bytes that the program served.
"""

import calendar
import concurrent.futures
import email
import email.policy
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import feedparser
import reader

ATOM = "{http://www.w3.org/2005/Atom}"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def seconds(moment):
    if moment.tzinfo is None:
        # `-0000`: in UTC, from an unknown place (RFC 5322 §3.3).
        moment = moment.replace(tzinfo=timezone.utc)
    return int((moment - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() // 1)


def of_iso(text):
    return seconds(datetime.fromisoformat(text.replace("Z", "+00:00")))


# What stands in the document, by a strict parser.


def document(path, data):
    if path.endswith(".json"):
        return [
            {"id": item["id"], "title": item["title"], "link": item["url"], "published": of_iso(item["date_published"]), "updated": of_iso(item["date_modified"])}
            for item in json.loads(data)["items"]
        ]
    root = ElementTree.fromstring(data)
    if root.tag == "rss":
        return [
            {"id": item.findtext("guid"), "title": item.findtext("title"), "link": item.findtext("link"), "published": seconds(parsedate_to_datetime(item.findtext("pubDate")))}
            for item in root.iter("item")
        ]
    return [
        {
            "id": entry.findtext(ATOM + "id"),
            "title": entry.findtext(ATOM + "title"),
            "link": next(link.get("href") for link in entry.iter(ATOM + "link") if link.get("rel") == "alternate"),
            "published": of_iso(entry.findtext(ATOM + "published")),
            "updated": of_iso(entry.findtext(ATOM + "updated")),
        }
        for entry in root.iter(ATOM + "entry")
    ]


# Python


def by_feedparser(urls, _bytes, _folder):
    def read(url):
        parsed = feedparser.parse(url)
        if parsed.bozo:
            raise ValueError(f"bozo: {parsed.bozo_exception}")
        return [
            {
                "id": entry.id,
                "title": entry.title,
                "link": entry.link,
                "published": calendar.timegm(entry.published_parsed),
                # Without one of its own it hands out `published`.
                **({"updated": calendar.timegm(entry.updated_parsed)} if parsed.version == "atom10" else {}),
            }
            for entry in parsed.entries
        ]

    return {url: read(url) for url in urls}


def by_reader(urls, _bytes, _folder):
    library = reader.make_reader(":memory:")
    for url in urls:
        library.add_feed(url)
    failed = {result.url: str(result.value) for result in library.update_feeds_iter() if isinstance(result.value, Exception)}
    found = {url: [] for url in urls}
    for entry in library.get_entries():
        told = {"id": entry.id, "title": entry.title, "link": entry.link}
        for key, moment in (("published", entry.published), ("updated", entry.updated)):
            if moment:
                told[key] = seconds(moment)
        found[entry.feed_url].append(told)
    return {url: failed.get(url, entries) for url, entries in found.items()}


def by_rss2email(urls, _bytes, folder):
    """It mails every entry, the oldest first; the mails go into a Maildir."""
    folder.mkdir()
    lines = ["[DEFAULT]", "to = reader@example.org", "email-protocol = maildir", f"maildir-path = {folder}", "maildir-mailbox = mails", "date-header = True"]
    lines += ["date-header-order = published, modified, issued, created", "html-mail = False", "verbose = error"]
    for number, url in enumerate(urls):
        lines += [f"[feed.f{number}]", f"url = {url}"]
    (folder / "r2e.cfg").write_text("\n".join(lines) + "\n")
    (folder / "mails").mkdir()
    for part in ("cur", "new", "tmp"):
        (folder / "mails" / part).mkdir()
    subprocess.run(["r2e", "-c", folder / "r2e.cfg", "-d", folder / "r2e.json", "run"], check=True, env={**os.environ, "LANG": "C.UTF-8"})
    told = {}
    for path in (folder / "mails/new").iterdir():
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32)
        told[(header(message, "X-RSS-Feed"), header(message, "X-RSS-ID"))] = message
    found = {}
    for state in json.loads((folder / "r2e.json").read_text())["feeds"]:
        url = urls[int(state["name"][1:])]
        # What it has seen it knows by id; a mail that is missing is a loss.
        found[url] = [
            {
                "id": uid,
                "title": header(told[url, uid], "Subject"),
                "link": header(told[url, uid], "X-RSS-URL"),
                "published": seconds(parsedate_to_datetime(told[url, uid]["Date"])),
            }
            for uid in reversed(list(state["seen"]))
            if (url, uid) in told
        ]
    return found


def header(message, name):
    """A header's text: RFC 2047 words decoded, folds taken out."""
    parts = email.header.decode_header(str(message[name] or ""))
    text = "".join(part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part for part, charset in parts)
    return text.replace("\r", "").replace("\n", "")


# Debian


def by_newsboat(urls, _bytes, folder):
    """One cache for each feed: an item that stands in two feeds it gives to one of them."""

    def read(number, url):
        own = folder / str(number)
        own.mkdir(parents=True)
        (own / "urls").write_text(url + "\n")
        (own / "config").write_text("")
        newsboat(own)
        with sqlite3.connect(own / "cache.db") as cache:
            # It shows the newest first; of two of one date, the one that it wrote first.
            rows = cache.execute("SELECT guid, title, url, pubDate FROM rss_item ORDER BY pubDate DESC, id").fetchall()
        return [{"id": uid, "title": title, "link": link, "published": published} for uid, title, link, published in rows]

    # It mostly waits, for its own locks.
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        return dict(zip(urls, threads.map(read, range(len(urls)), urls)))


def newsboat(folder):
    """Newsboat polls everything in a folder that holds `urls` and `config`."""
    command = ["newsboat", "-u", folder / "urls", "-c", folder / "cache.db", "-C", folder / "config", "-x", "reload"]
    subprocess.run(command, check=True, env={**os.environ, "TERM": "xterm"}, **QUIET)


def by_sfeed(urls, served, _folder):
    def read(url):
        lines = subprocess.run(["sfeed", url], input=served[url], stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")
        fields = [line.split("\t") for line in lines if line]
        return [{"id": unescaped(f[5]), "title": f[1], "link": f[2], "published": int(f[0]) if f[0] else None} for f in fields]

    return {url: read(url) for url in urls}


def unescaped(text):
    return text.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\")


# Rust and npm: programs that print JSON


def by_feed_rs(urls, served, folder):
    folder.mkdir()
    arguments = []
    for number, url in enumerate(urls):
        path = folder / str(number)
        path.write_bytes(served[url])
        arguments += [url, path]
    return json.loads(subprocess.run(["target/debug/examples/feed_rs", *arguments], stdout=subprocess.PIPE, check=True).stdout)


def by_npm(urls, _bytes, _folder):
    """Both readers of npm: name → address → entries."""
    command = ["node", ".ci/readers.mjs", pathlib.Path("target/peers/npm").resolve()]
    done = subprocess.run(command, input="\n".join(urls).encode(), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)
