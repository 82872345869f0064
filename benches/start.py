#!/usr/bin/env python3
"""How long from starting the program to the first served feed, and how much memory it rests at.

    cargo build --release && benches/start.py [ARTICLES]

Makes a folder of articles (200 by default, English and Japanese), starts the release build on an
empty database five times, and asks for /feed.xml until it has every article it should. Beside
it Hugo (Debian's package `hugo`, if installed) builds the feeds of the same articles, in the same
run; the ratio is Hugo's time by Clarion's. Prints medians.
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ARTICLES = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ROUNDS = 5
PROGRAM = pathlib.Path("target/release/clarion").resolve()
CATEGORIES = ["Defectors", "North Korean Refugees", "Human Rights Abuses", "Statements"]
TEXT = {
    "en": "A family of four crossed the river in winter and asked for help. " * 30,
    "ja": "冬に川を渡った四人の家族が助けを求めました。" * 60,
}


def write_articles(folder):
    for number in range(ARTICLES):
        language = "ja" if number % 4 == 3 else "en"
        suffix = ".ja" if language == "ja" else ""
        day = f"{2006 + number % 20}-{1 + number % 12:02}-{1 + number % 28:02}"
        front = f'+++\ntitle = "Article {number}"\ndate = {day}T09:00:00+09:00\ncategories = ["{CATEGORIES[number % 4]}"]\n+++\n'
        (folder / f"article-{number}{suffix}.md").write_text(front + TEXT[language] + "\n")


def clarion(root):
    config = pathlib.Path("config/clarion.toml").read_text()
    (root / "config/petitions").mkdir(parents=True)
    (root / "config/clarion.toml").write_text(config)
    shutil.copy("config/missions.toml", root / "config/missions.toml")
    began = time.perf_counter()
    program = subprocess.Popen(
        [PROGRAM, "--config", root / "config/clarion.toml"],
        env={**os.environ, "CLARION_WEB__LISTEN": "127.0.0.1:0", "CLARION_CONTENT__DIR": str(root.parent / "content")},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    for line in program.stdout:
        if "listening on " in line:
            base = line.split("listening on ")[1].strip()
            break
    wanted = min(50, sum(1 for number in range(ARTICLES) if number % 4 != 3))
    while True:
        try:
            with urllib.request.urlopen(base + "/feed.xml", timeout=10) as answer:
                if answer.read().count(b"<item>") >= wanted:
                    break
        except OSError:
            pass
        time.sleep(0.005)
    took = time.perf_counter() - began
    time.sleep(3)
    status = pathlib.Path(f"/proc/{program.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
    program.terminate()
    program.wait()
    return took, resident


def hugo(root):
    (root / "hugo.toml").write_text('baseURL = "http://example.org/"\ntitle = "Peer"\ndisableKinds = ["page", "sitemap", "robotsTXT", "404"]\n')
    (root / "config.toml").write_text((root / "hugo.toml").read_text())
    shutil.copytree(root.parent / "content", root / "content")
    began = time.perf_counter()
    subprocess.run(["hugo", "--quiet", "--source", root], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main():
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        (top / "content").mkdir()
        write_articles(top / "content")
        times, memory, peer = [], [], []
        for number in range(ROUNDS):
            (top / f"clarion-{number}").mkdir()
            took, resident = clarion(top / f"clarion-{number}")
            times.append(took)
            memory.append(resident)
            if shutil.which("hugo"):
                (top / f"hugo-{number}").mkdir()
                peer.append(hugo(top / f"hugo-{number}"))
    start = statistics.median(times)
    print(f"{ARTICLES} articles, {ROUNDS} rounds on an empty database")
    print(f"start to first full feed   {start * 1000:7.0f} ms")
    print(f"memory at rest             {statistics.median(memory):7.1f} MB")
    if peer:
        other = statistics.median(peer)
        print(f"Hugo builds the same feeds {other * 1000:7.0f} ms   ratio Hugo/Clarion {other / start:.2f}")
    else:
        print("Hugo is not installed: no ratio")


main()
