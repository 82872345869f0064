"""Starts the program on the sample content and has real readers read its feeds.

Each reader must find the same entries: the ids of the articles in the content folder's first
language, each once. Prints a line per reader and address; exits with 1 on any disagreement.
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
import urllib.request

import feedparser
import reader

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
FEEDS = ["/feed.xml", "/category/defectors/atom.xml", "/feed.json"]
failures = []


def check(name, path, ids, expected, more=""):
    good = sorted(ids) == sorted(expected)
    print(f"{'ok  ' if good else 'FAIL'} {name:<11} {path:<32} {len(ids)} entries {more}")
    if not good:
        failures.append((name, path, sorted(set(expected) ^ set(ids))[:3]))


def start(folder):
    for name in ("config", "content"):
        shutil.copytree(name, folder / name)
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


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program, base = start(folder)
        try:
            for _ in range(200):
                try:
                    fetch(base + "/readyz")
                    break
                except OSError:
                    time.sleep(0.1)
            for number, path in enumerate(FEEDS):
                url = base + path
                text = fetch(url)
                if path.endswith(".json"):
                    expected = [item["id"] for item in json.loads(text)["items"]]
                else:
                    subprocess.run(["xmllint", "--noout", "-"], input=text, check=True)
                    parsed = feedparser.parse(url)
                    if parsed.bozo:
                        failures.append(("feedparser", path, parsed.bozo_exception))
                    expected = [entry.id for entry in parsed.entries]
                    check("feedparser", path, expected, expected, f"{parsed.version}, bozo={parsed.bozo}; xmllint: well-formed")
                    check("newsboat", path, by_newsboat(url, folder / f"newsboat-{number}"), expected)
                    check("sfeed", path, by_sfeed(url, text), expected)
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
