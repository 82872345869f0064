"""Starts the program on the site of hard cases (tests/fixtures/hard) and has real readers read
every feed of it: peers.py PROGRAM.

The documents must be well-formed, hold what `clarion content list` says, and agree in the three
formats. Every reader must find the same ids, titles, links and dates, in the same order. Where one
makes something else of what is right, that stands with its reason in KNOWN, and must still be so.
Prints a line per reader; exits with 1 on any disagreement.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import readers

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
HARD = pathlib.Path("tests/fixtures/hard")
# Some articles are of the years 2038 and 2039; they must have come.
NOW = "2040-02-01T00:00:00Z"
ITEMS = 70  # as in the site's configuration
FORMATS = ("feed.xml", "atom.xml", "feed.json")
OWN = "tag:example.org,2026:"

# Readers that show entries by date, whatever their order in the document.
SORTS_BY_DATE = {"newsboat"}

# (reader, what, which entries in which feed, why): what a reader makes of what is right.
KNOWN = [
    *(
        (
            who,
            "id",
            lambda entry, url: entry["id"].startswith("HTTP:") and url.endswith("atom.xml"),
            "feedparser, on which it is built, writes the scheme of an Atom id in small letters",
        )
        for who in ("feedparser", "rss2email", "reader")
    ),
    (
        "newsboat",
        "published",
        lambda entry, url: not 0 <= entry["published"] < 2**31 - 1,
        "2.21 counts seconds in 32 bits: before 1970 and after 2038 it has another date",
    ),
    (
        "rss2email",
        "title",
        lambda entry, url: "<" in entry["title"] and url.endswith("feed.xml"),
        "RSS does not say whether a title is HTML: it takes <b> for bold and writes ** for it",
    ),
]

# Titles as people must see them, by the end of the id.
TITLES = {
    "text-01-cdata": "]]> and <![CDATA[ and ]]>",
    "text-02-entities": "&lt;b&gt; &amp;amp; &copy; &#0; &#xFFFE; &nosuch; AT&T",
    "text-05-not-nfc": "café が 한 Å",
    "text-06-directions": "\u202eevil \u2066left open \u2069 שלום\u202c",
    "text-07-separators": "one two three four five six seven",
    "text-09-falsy": "0",
    "text-10-number": "007",
    "text-15-spaces": "spaces round and within",
    "made-nul": "Zero in it",
    "made-long-title": ("Very long & " * 250).strip(),
}

# WordPress's addresses of the same feeds, and the feed of each.
ADDRESSES = {
    "/feed/": "/feed.xml",
    "/feed": "/feed.xml",
    "/?feed=rss2": "/feed.xml",
    "/feed/atom/": "/atom.xml",
    "/wp-atom.php": "/atom.xml",
    "/category/texts/feed/": "/category/texts/feed.xml",
    "/category/files/sound/feed/atom/": "/category/sound/atom.xml",
    "/?feed=rss2&category_name=ids": "/category/ids/feed.xml",
    "/ja/feed/": "/ja/feed.xml",
    "/tag/crowd/feed/": "/tag/crowd/feed.xml",
    "/?feed=atom&tag=crowd": "/tag/crowd/atom.xml",
    "/2012/12/feed/": "/2012/12/feed.xml",
    "/?feed=rss2&m=201212": "/2012/12/feed.xml",
    "/category/ids,dates/feed/atom/": "/category/dates,ids/atom.xml",
    "/category/%e5%ae%9a%e4%be%8b%e4%bc%9a/feed/": "/category/%E5%AE%9A%E4%BE%8B%E4%BC%9A/feed.xml",
}

# Feeds that are made when asked for, and stand in no catalogue.
MADE_ON_DEMAND = [
    "/tag/crowd/feed.xml",
    "/tag/r-d/feed.xml",
    "/ja/tag/%E8%84%B1%E5%8C%97%E8%80%85/feed.xml",
    "/ja/author/%E5%B1%B1%E7%94%B0-%E8%8A%B1%E5%AD%90/feed.xml",
    "/2012/feed.xml",
    "/2012/12/feed.xml",
    "/1970/01/feed.xml",
    "/category/dates,ids/feed.xml",
    "/category/files+sound/feed.xml",
]

failures = []


def fail(*what):
    failures.append(" ".join(str(part)[:300] for part in what))


class Clarion:
    """The program, serving the hard site from a folder."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("config", "content"):
            shutil.copytree(HARD / name, folder / name)
        subprocess.run([sys.executable, HARD / "make.py", folder / "content"], check=True)
        self.environment = {**os.environ, "CLARION_CLOCK": NOW}
        self.process = subprocess.Popen(self.command(), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "listening on " in line:
                self.base = line.split("listening on ")[1].strip()
                return
        sys.exit("the program ended before it listened")

    def command(self, *arguments):
        return [PROGRAM, "--config", self.folder / "config/clarion.toml", *arguments]

    def json(self, *arguments):
        done = subprocess.run(self.command(*arguments, "--json"), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout)

    def get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=20) as answer:
            return answer.read()

    def await_feeds(self):
        """Returns what is served at each address once every article is there and nothing changes."""
        files = [path for path in (self.folder / "content").rglob("*") if path.suffix in (".md", ".html") and not path.name.startswith("refused-")]
        before = None
        for _ in range(120):
            try:
                if len(self.json("content", "list")) >= len(files):
                    paths = paths_of(self)
                    served = {self.base + path.replace("feed.xml", kind): self.get(path.replace("feed.xml", kind)) for path in paths for kind in FORMATS}
                    if served == before:
                        return paths, served
                    before = served
            except OSError:
                pass  # 503: they are being made
            # A feed is published at most once a second.
            time.sleep(1.5)
        sys.exit("the feeds were never published, or never came to rest")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def check_refused(clarion):
    """Exactly the articles made to be refused are refused."""
    mistakes = {pathlib.Path(problem["file"]).name for problem in clarion.json("check") if problem["severity"] == "error"}
    expected = {path.name for path in (clarion.folder / "content").glob("refused-*")}
    if mistakes != expected:
        fail("check: refuses others than it should:", sorted(mistakes ^ expected))
    return len(mistakes)


def paths_of(clarion):
    """Every feed of the catalogue, in RSS, and some that are made on demand."""
    opml = ElementTree.fromstring(clarion.get("/feeds.opml"))
    return MADE_ON_DEMAND + sorted({"/" + outline.get("xmlUrl").split("/", 3)[3] for outline in opml.iter("outline") if outline.get("xmlUrl")})


def atom_id(uid):
    """An id without a scheme is no IRI, and stands in Atom as a `tag:` URI."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:.", uid):
        return uid
    return f"{OWN}id/" + "".join(c if c.isascii() and c.isalnum() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in uid)


def check_documents(clarion, paths, served, truth):
    """The documents themselves: well-formed, alike in three formats, and what the program lists."""
    listed = {article["uid"]: article for article in clarion.json("content", "list")}
    for path in paths:
        rss, atom, feed = (truth[clarion.base + path.replace("feed.xml", name)] for name in FORMATS)
        if [atom_id(entry["id"]) for entry in rss] != [entry["id"] for entry in atom]:
            fail(path, "RSS and Atom have other ids:", *sorted({atom_id(e["id"]) for e in rss} ^ {e["id"] for e in atom})[:3])
        compare("Atom as RSS", path, [{**a, "id": r["id"]} for a, r in zip(atom, rss)], rss)
        compare("JSON as RSS", path, feed, rss[: len(feed)])
        if [entry["updated"] for entry in feed] != [entry["updated"] for entry in atom[: len(feed)]]:
            fail(path, "JSON and Atom were updated at other times")
        if len(feed) < len(rss) and len(served[clarion.base + path.replace("feed.xml", "feed.json")]) < 100_000:
            fail(path, "JSON leaves out entries though there is room")
        stamps = re.findall(rb"<updated>([^<]*)</updated></entry>|<entry>.*?<updated>([^<]*)</updated>", served[clarion.base + path.replace("feed.xml", "atom.xml")])
        if len(set(stamps)) != len(atom):
            fail(path, "entries share an `updated`")
        check_listed(path, rss, listed)
    return len(listed)


def check_listed(path, entries, listed):
    """A feed holds what the program lists: of its language, the newest first."""
    language = re.match(r"/(ja|ko|zh-Hans|zh-Hant|ar)/", path)
    language = language[1] if language else "en"
    of_language = [article for article in listed.values() if article["language"] == language]
    expected = [
        # Feeds leave out the controls that XML 1.0 allows and advises against (§2.2).
        {"id": a["uid"], "title": re.sub("[\x7f-\x84\x86-\x9f]", "", a["title"]), "published": readers.of_iso(a["published_at"])}
        for a in (listed.get(entry["id"], {"uid": "not listed", "title": "", "published_at": NOW}) for entry in entries)
    ]
    compare("the listing", path, entries, expected)
    if path.count("/") <= (1 if language == "en" else 2) and {e["id"] for e in entries} != {a["uid"] for a in of_language[:ITEMS]}:
        fail(path, "does not hold the newest", ITEMS)
    dates = [entry["published"] for entry in entries]
    if dates != sorted(dates, reverse=True):
        fail(path, "is not in the order of dates")
    for entry in entries:
        for name, title in TITLES.items():
            if entry["id"].endswith(f":{name}") and entry["title"] != title:
                fail(path, name, "is called", repr(entry["title"]))


def check_well_formed(served, folder):
    files = {}
    for number, (url, data) in enumerate(served.items()):
        if url.endswith(".xml"):
            files[folder / f"{number}.xml"] = url
            (folder / f"{number}.xml").write_bytes(data)
    done = subprocess.run(["xmllint", "--noout", "--nonet", *files], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        fail("xmllint:", done.stderr)
    return len(files)


def check_files(clarion):
    """The addresses of the files of the article that has thirty: one in RSS, all in Atom and JSON."""
    wanted = ["https://example.org/file.php?a=1&b={}&copy=<2>".format(number) for number in range(30)]
    for name, count in (("feed.xml", 1), ("atom.xml", 30)):
        entries = readers.feedparser.parse(f"{clarion.base}/category/files/{name}").entries
        found = [urllib.parse.unquote(file.href) for entry in entries if entry.title == "Thirty files" for file in entry.enclosures]
        if found != wanted[:count]:
            fail(name, "has other files:", found[:3])
    items = json.loads(clarion.get("/category/files/feed.json"))["items"]
    found = [urllib.parse.unquote(file["url"]) for item in items if item["title"] == "Thirty files" for file in item["attachments"]]
    if found != wanted:
        fail("feed.json has other files:", found[:3])


def check_addresses(clarion):
    for address, path in ADDRESSES.items():
        if clarion.get(address) != clarion.get(path):
            fail(address, "is not", path)


def compare(name, path, found, expected, known=None):
    """Notes every entry that is missing, not expected, in another place, or told otherwise.
    Returns how many disagree; those that are known are counted in `known`."""
    before = len(failures)
    by_id = {entry["id"]: entry for entry in expected}

    def is_known(key, entry):
        rules = [number for number, (who, what, when, _) in enumerate(KNOWN) if (who, what) == (name, key) and when(entry, path)]
        if rules and known is not None:
            known[rules[0]] += 1
        return bool(rules)

    respelt = {entry["id"].lower(): entry["id"] for entry in found if entry["id"] not in by_id}
    for entry in expected:
        if entry["id"].lower() in respelt and is_known("id", entry):
            found = [{**one, "id": entry["id"]} if one["id"] == respelt[entry["id"].lower()] else one for one in found]
    ids, wanted = [entry["id"] for entry in found], [entry["id"] for entry in expected]
    if sorted(ids) != sorted(wanted):
        fail(name, path, "missing:", sorted(set(wanted) - set(ids))[:3], "not expected:", sorted(set(ids) - set(wanted))[:3], len(ids), "of", len(wanted))
    elif ids != wanted and name not in SORTS_BY_DATE:
        fail(name, path, "in another order from:", next((one, other) for one, other in zip(ids, wanted) if one != other))
    for entry in found:
        for key, value in entry.items():
            right = by_id.get(entry["id"], {}).get(key, value)
            if value != right and not is_known(key, by_id[entry["id"]]):
                fail(name, path, entry["id"], f"{key}: {value!r} for {right!r}")
    return len(failures) - before


def ask_readers(served, truth, folder):
    """Prints the table."""
    xml = [url for url in served if url.endswith(".xml")]
    known = collections.Counter()
    print(f"{'reader':<12}{'feeds':>6}{'entries':>9}{'disagreements':>15}{'known':>7}{'seconds':>9}")

    def tell(name, found, took):
        before, entries, wrong = known.total(), 0, 0
        for url, read in found.items():
            if isinstance(read, str):
                fail(name, url, read)
                wrong += 1
            else:
                entries += len(read)
                wrong += compare(name, url, read, truth[url], known)
        print(f"{name:<12}{len(found):>6}{entries:>9}{wrong:>15}{known.total() - before:>7}{took:>9.1f}")

    for name, read, urls in (
        ("feedparser", readers.by_feedparser, xml),
        ("newsboat", readers.by_newsboat, xml),
        ("sfeed", readers.by_sfeed, xml),
        ("rss2email", readers.by_rss2email, xml),
        ("reader", readers.by_reader, list(served)),
        ("feed-rs", readers.by_feed_rs, list(served)),
    ):
        began = time.time()
        tell(name, read(urls, served, folder / name), time.time() - began)
    began = time.time()
    for name, found in readers.by_npm(list(served), served, folder).items():
        tell(name, found, time.time() - began)
    for number, (who, what, _, why) in enumerate(KNOWN):
        print(f"known: {who}, {what}, {known[number]} times: {why}")
        if not known[number]:
            fail(who, what, "is known to differ, and does not any more: take it out of KNOWN")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        clarion = Clarion(folder)
        try:
            paths, served = clarion.await_feeds()
            refused = check_refused(clarion)
            well_formed = check_well_formed(served, folder)
            truth = {url: readers.document(url, data) for url, data in served.items()}
            listed = check_documents(clarion, paths, served, truth)
            check_files(clarion)
            check_addresses(clarion)
            print(f"{listed} articles in {len(paths)} feeds of three formats, {sum(map(len, truth.values()))} entries; {well_formed} are XML, and well-formed")
            print(f"{refused} articles that no feed can carry are refused; {len(ADDRESSES)} of WordPress's addresses give the same bytes")
            ask_readers(served, truth, folder)
        finally:
            clarion.stop()
    for failure in failures:
        print("FAIL", failure)
    print("no disagreement" if not failures else f"{len(failures)} disagreements")
    sys.exit(bool(failures))


main()
