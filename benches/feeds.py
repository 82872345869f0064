#!/usr/bin/env python3
"""A feed of 100 kB, unchanged (304), in gzip and as it is: requests a second beside nginx.

    cargo build --release && benches/feeds.py [ROUNDS] [SECONDS]

Needs nginx and wrk (Debian: nginx-light, wrk). Starts the release build on a folder of articles,
and nginx on the very same bytes as static files (gzip_static, etag, sendfile, open_file_cache, no
log, worker_processes auto), each on a free port of its own. Then asks both in turn with the same
wrk, one thread, 32 connections kept alive, ROUNDS (5) times for SECONDS (4) each, and swaps who is
first in each round. Prints for each case the median of the rounds, the median of their ratios
(Clarion by nginx: above 1 is faster), and the processor time that each server took for a request,
which a busy machine disturbs least.
"""

import gzip
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 4
PROGRAM = pathlib.Path(os.environ.get("CLARION", "target/release/clarion")).resolve()
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
TICK = os.sysconf("SC_CLK_TCK")
WORDS = "river winter family letter border village rice station mother train permit daughter help road night".split()


def get(url, **headers):
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers, answer.read()


def write_articles(folder):
    chance = random.Random(1)
    folder.mkdir()
    for number in range(60):
        paragraphs = [" ".join(chance.choice(WORDS) for _ in range(52)) + "." for _ in range(4)]
        head = f'+++\ntitle = "Article {number}"\ndate = 2026-01-{1 + number % 28:02}T{number % 24:02}:00:00+09:00\n+++\n'
        (folder / f"article-{number}.md").write_text(head + "\n\n".join(paragraphs) + "\n")


class Clarion:
    name = "clarion"

    def __init__(self, top):
        root, content = top / "clarion", top / "content"
        write_articles(content)
        (root / "config/petitions").mkdir(parents=True)
        for name in ["clarion.toml", "missions.toml"]:
            shutil.copy(f"config/{name}", root / f"config/{name}")
        environment = {**os.environ, "CLARION_WEB__LISTEN": "127.0.0.1:0", "CLARION_CONTENT__DIR": str(content)}
        command = [PROGRAM, "--config", root / "config/clarion.toml"]
        self.program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.program.stdout:
            if "listening on " in line:
                self.url = line.split("listening on ")[1].strip() + "/feed.xml"
                break
        # Until the feed is there, and every coding of every feed is made.
        while True:
            try:
                headers, body = get(self.url, Accept_Encoding="br")
                if body and headers["Content-Encoding"] == "br":
                    break
            except OSError:
                pass
            time.sleep(0.2)
        while self.busy():
            pass

    def busy(self):
        before = ticks(self.pids())
        time.sleep(3)
        return ticks(self.pids()) - before > 0.05 * 3 * TICK

    def pids(self):
        return [self.program.pid]

    def stop(self):
        self.program.terminate()
        self.program.wait()


class Nginx:
    name = "nginx"

    def __init__(self, top, plain, packed):
        root = top / "nginx"
        root.mkdir()
        (root / "feed.xml").write_bytes(plain)
        (root / "feed.xml.gz").write_bytes(packed)
        now = time.time() - 100
        for path in [root / "feed.xml", root / "feed.xml.gz"]:
            os.utime(path, (now, now))
        for path in [top, root]:
            path.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        paths = " ".join(f"{kind}_temp_path {root}/{kind};" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        (root / "nginx.conf").write_text(f"""
worker_processes auto; daemon off; pid {root}/pid; error_log {root}/errors; events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=100; etag on; {paths}
  types {{ application/rss+xml xml; }} charset utf-8; charset_types application/rss+xml;
  server {{ listen 127.0.0.1:{port}; root {root}; gzip_static on; gzip_vary on; }} }}
""")
        self.program = subprocess.Popen([NGINX, "-p", root, "-c", root / "nginx.conf"])
        self.url = f"http://127.0.0.1:{port}/feed.xml"
        while True:
            try:
                get(self.url)
                break
            except OSError:
                time.sleep(0.05)

    def pids(self):
        children = pathlib.Path(f"/proc/{self.program.pid}/task/{self.program.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self):
        self.program.terminate()
        self.program.wait()


def ticks(pids):
    fields = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields)


def load(server, header):
    before = ticks(server.pids())
    command = ["wrk", "-t1", "-c32", f"-d{SECONDS}", "-H", header, server.url]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    if "Non-2xx or 3xx" in text or "Socket errors" in text:
        sys.exit(f"{server.name} failed: {text}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), (ticks(server.pids()) - before) / TICK / requests * 1e6


def main():
    for program in [PROGRAM, NGINX, shutil.which("wrk")]:
        if not program or not os.access(program, os.X_OK):
            sys.exit(f"missing: {program}; see the top of this file")
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        clarion = Clarion(top)
        plain, (headers, packed) = get(clarion.url)[1], get(clarion.url, Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip" and gzip.decompress(packed) == plain
        nginx = Nginx(top, plain, packed)
        assert get(nginx.url)[1] == plain and get(nginx.url, Accept_Encoding="gzip")[1] == packed
        print(f"{len(plain)} octets, {len(packed)} in gzip; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        etags = {server: get(server.url)[0]["ETag"] for server in [clarion, nginx]}
        cases = [
            ("304", lambda server: f"If-None-Match: {etags[server]}"),
            ("gzip", lambda _: "Accept-Encoding: gzip"),
            ("identity", lambda _: "Accept-Encoding: identity"),
        ]
        for case, header in cases:
            rates, costs = {clarion: [], nginx: []}, {clarion: [], nginx: []}
            for number in range(ROUNDS):
                for server in [clarion, nginx] if number % 2 else [nginx, clarion]:
                    rate, cost = load(server, header(server))
                    rates[server].append(rate)
                    costs[server].append(cost)
            ratio = statistics.median(one / other for one, other in zip(rates[clarion], rates[nginx]))
            told = [f"{server.name} {statistics.median(rates[server]):8.0f}/s {statistics.median(costs[server]):5.1f} µs" for server in rates]
            cost = statistics.median(costs[nginx]) / statistics.median(costs[clarion])
            print(f"{case:9} {'   '.join(told)}   ratio {ratio:.2f}   by processor time {cost:.2f}", flush=True)
        print(f"load {os.getloadavg()[0]:.1f}")
        for server in [clarion, nginx]:
            server.stop()


main()
