"""Starts the program on the sample content, and on articles that try to break feeds, and has real
readers read them.

Every feed of the catalogue must be well-formed. Each reader must find the same entries, each
once, among them every article of HOSTILE with its files. Prints a line per reader and address;
exits with 1 on any disagreement.
"""

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import feedparser
import reader

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
FEEDS = ["/feed.xml", "/atom.xml", "/category/defectors/atom.xml", "/feed.json"]
FILE = "https://example.org/file.php?a=1&b={}&copy=<2>"

# Front matter and text of articles; each is filed as `hostile-NAME`, with the id `urn:hostile:NAME`.
HOSTILE = {
    "controls": ('title = "Con\\u0001trol\\uFFFE s"', "Vertical\x0btab, bell \x07, \ufffe and \x1b[31m red."),
    "cdata": ('title = "]]> and <![CDATA["\nsummary = "]]>]]>"', "a ]]> b\n\n    ]]>\n\n<p title=\"]]>\">c</p>"),
    "entities": ('title = "&lt;b&gt; &amp;amp; <b>bold</b> & \\"quotes\\""\ntags = ["R&D", "<i>"]\ncategories = ["Q & A"]', "&nbsp; &copy; &"),
    "links": ("title = \"Links\"\nauthors = [{ name = \"A & B\", url = \"https://example.org/?a=1&b='2'\" }]", "[x](/a?b=1&c=<2>) ![y](z.png?q=1&r=2)"),
    "emoji": ('title = "👨‍👩‍👧‍👦 🏳️‍🌈 e\\u0301 𠮷野家"', "👨‍👩‍👧‍👦" * 300),
    "directions": ('title = "\\u202Eevil \\u2066left open"', "שלום \u202e عربي"),
    "long": ('title = "' + "Very long " * 300 + '"', "Short."),
    "empty": ('title = "Nothing in it"', ""),
    "files": (
        'title = "Files"' + "".join(f'\n[[enclosure]]\nurl = "{FILE.format(n)}"\ntype = "application/pdf"\nlength = {n + 1}' for n in range(30)),
        "See below.",
    ),
}
failures = []


def check(name, path, ids, expected, more=""):
    good = sorted(ids) == sorted(expected)
    print(f"{'ok  ' if good else 'FAIL'} {name:<11} {path:<32} {len(ids)} entries {more}")
    if not good:
        failures.append((name, path, sorted(set(expected) ^ set(ids))[:3]))


def start(folder):
    for name in ("config", "content"):
        shutil.copytree(name, folder / name)
    for number, (name, (head, text)) in enumerate(HOSTILE.items()):
        head = f'id = "urn:hostile:{name}"\ndate = 2026-11-{number + 10}T09:00:00+09:00\n{head}'
        (folder / f"content/hostile-{name}.md").write_text(f"+++\n{head}\n+++\n{text}\n", "utf-8")
    program = subprocess.Popen(
        [PROGRAM, "--config", folder / "config/clarion.toml"],
        env={**os.environ, "CLARION_WEB__LISTEN": "127.0.0.1:0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in program.stdout:
        if "listening on " in line:
            return program, line.split("listening on ")[1].strip()
    sys.exit("the program ended before it listened")


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def by_newsboat(url, folder):
    folder.mkdir()
    (folder / "urls").write_text(url + "\n")
    (folder / "config").write_text("")
    subprocess.run(
        ["newsboat", "-u", folder / "urls", "-c", folder / "cache.db", "-C", folder / "config", "-x", "reload"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"},
    )
    with sqlite3.connect(folder / "cache.db") as cache:
        return [row[0] for row in cache.execute("select guid from rss_item")]


def by_sfeed(url, text):
    lines = subprocess.run(["sfeed", url], input=text, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    return [line.split("\t")[5] for line in lines]


def by_reader(url):
    library = reader.make_reader(":memory:")
    library.add_feed(url)
    library.update_feed(url)
    return [entry.id for entry in library.get_entries()]


def hostile_ids(path):
    return set() if "category" in path else {f"urn:hostile:{name}" for name in HOSTILE}


def check_hostile(path, ids, files):
    """`files` are the addresses of the files of the article that has thirty."""
    missing = hostile_ids(path) - set(ids)
    if missing:
        failures.append(("hostile", path, f"missing: {missing}"))
    many = 1 if path.endswith("feed.xml") else 30
    if hostile_ids(path) and [urllib.parse.unquote(file) for file in files] != [FILE.format(number) for number in range(many)]:
        failures.append(("files", path, files[:3]))


def await_articles(base):
    """Ready means that the feeds are made; the articles of a first start come a moment later."""
    for _ in range(300):
        try:
            if hostile_ids("/") <= {item["id"] for item in json.loads(fetch(base + "/feed.json"))["items"]}:
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("the articles were never published")


def check_catalogue(base):
    opml = xml.etree.ElementTree.fromstring(fetch(base + "/feeds.opml"))
    urls = [outline.get("xmlUrl") for outline in opml.iter("outline") if outline.get("xmlUrl")]
    for url in urls:
        path = "/" + url.split("/", 3)[3]
        for other in (path, path.replace("feed.xml", "atom.xml")):
            subprocess.run(["xmllint", "--noout", "--nonet", "-"], input=fetch(base + other), check=True)
        json.loads(fetch(base + path.replace("feed.xml", "feed.json")))
    print(f"ok   xmllint     {len(urls)} topics of the catalogue, RSS and Atom well-formed, JSON valid")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program, base = start(folder)
        try:
            await_articles(base)
            check_catalogue(base)
            for number, path in enumerate(FEEDS):
                url = base + path
                text = fetch(url)
                if path.endswith(".json"):
                    items = json.loads(text)["items"]
                    expected = [item["id"] for item in items]
                    files = [file["url"] for item in items if item["title"] == "Files" for file in item["attachments"]]
                else:
                    subprocess.run(["xmllint", "--noout", "-"], input=text, check=True)
                    parsed = feedparser.parse(url)
                    if parsed.bozo:
                        failures.append(("feedparser", path, parsed.bozo_exception))
                    expected = [entry.id for entry in parsed.entries]
                    files = [file.href for entry in parsed.entries if entry.title == "Files" for file in entry.enclosures]
                    check("feedparser", path, expected, expected, f"{parsed.version}, bozo={parsed.bozo}; xmllint: well-formed")
                    check("newsboat", path, by_newsboat(url, folder / f"newsboat-{number}"), expected)
                    check("sfeed", path, by_sfeed(url, text), expected)
                check_hostile(path, expected, files)
                if not expected or len(expected) != len(set(expected)):
                    failures.append(("ids", path, expected))
                check("reader", path, by_reader(url), expected)
        finally:
            program.terminate()
            program.wait(timeout=20)
    for failure in failures:
        print("FAIL", *failure, sep="  ")
    sys.exit(1 if failures else 0)


main()
