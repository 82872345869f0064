#!/usr/bin/env python3
"""Mail: transport alone, and whole mailings with the durable ledger, beside Postfix's smtp-source.

    cargo build --release && cargo build --release --example mailroom
    benches/mail.py [PEOPLE] [ROUNDS] [CONNECTIONS]        20000 3 10,50
    benches/mail.py 1000000 1 50                           a large one: time, memory, database

Needs smtp-sink and smtp-source (Debian: postfix; the service need not run). A mailing is a digest
of Japanese articles, about 15 kB a mail, rendered for each person, in a SQLite database with
synchronous=FULL. In each round, in turns that change, against the same kind of smtp-sink:

- smtp-source sends messages of the same size over as many connections;
- Clarion's transport alone sends one such mail again and again;
- a daemon sends a mailing to PEOPLE, unsigned, and signed where a DKIM key can be had;
- with up to 20,000 people also through a line with 20 ms from question to answer, 10 connections.

Prints messages a second, the ratio to smtp-source in the same round, and of the mailing the time
of the cut, the daemon's memory at rest and at its peak, and the size of the database.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PEOPLE = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
CONNECTIONS = [int(number) for number in (sys.argv[3] if len(sys.argv) > 3 else "10,50").split(",")]
CLARION, MAILROOM = pathlib.Path("target/release/clarion").resolve(), pathlib.Path("target/release/examples/mailroom").resolve()
SINK, SOURCE = (shutil.which(name, path="/usr/sbin:/usr/bin") for name in ["smtp-sink", "smtp-source"])
# Messages of the peers, enough for a second or two.
SAMPLE = 20_000
CONFIG = """
[site]
title = "北朝鮮難民救援基金"
base_url = "http://127.0.0.1:8080"
languages = ["ja"]
postal_address = "東京都、例の町1-2-3"
[staff]
mail = ["office@example.org"]
[content]
dir = "content"
[web]
listen = "127.0.0.1:0"
metrics_listen = "127.0.0.1:{metrics}"
[database]
url = "sqlite:clarion.db"
[vault]
key_file = "clarion.key"
[mail]
from = "基金 <news@example.org>"
envelope = "bounces+{{token}}@example.org"
transport = {{ kind = "smtp", host = "127.0.0.1", port = {port}, tls = "none" }}
{dkim}
[delivery]
connections = {connections}
per_second = 0
[[digest]]
name = "weekly"
cron = "0 8 * * Mon"
time_zone = "Asia/Tokyo"
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Sink:
    """smtp-sink on a port of its own."""

    def __enter__(self):
        self.port = free_port()
        self.program = subprocess.Popen([SINK, "-u", "nobody", f"127.0.0.1:{self.port}", "1024"], stderr=subprocess.DEVNULL)
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.program.terminate()
        self.program.wait()


class SlowLine:
    """A line to a port with so many milliseconds from question to answer."""

    def __init__(self, port, delay):
        self.target, self.delay, self.port = port, delay, free_port()

    def __enter__(self):
        self.program = subprocess.Popen([MAILROOM, "line", str(self.port), str(self.target), str(self.delay)])
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.program.terminate()
        self.program.wait()


def article(number):
    text = "川を渡った家族の手紙が村から届きました。冬の夜に駅の前で母親が娘の名を呼び、列車は来ませんでした。" * 4
    return f'+++\ntitle = "第{number}報：国境の村から届いた手紙"\ndate = 2026-11-15T0{number % 10}:00:00+09:00\nannounce = "auto"\n+++\n{text}\n'


class Site:
    """A site with its people, and a digest that is due on Monday morning."""

    def __init__(self, top, people):
        self.top, self.people = top, people
        (top / "content").mkdir(parents=True)
        self.configure(1, 1)
        subprocess.run([MAILROOM, "crowd", top / "clarion.toml", str(people)], check=True)
        for number in range(10):
            (top / f"content/article-{number}.md").write_text(article(number))
        self.configure(1, 1)
        # On Sunday the articles are taken in; nothing is due.
        with self.daemon("2026-11-15T12:00:00+09:00") as daemon:
            daemon.rest(6)
        for path in top.glob("clarion.db*"):
            shutil.copy(path, top / f"kept-{path.name}")

    def configure(self, port, connections, key=None):
        self.metrics = free_port()
        dkim = f'[mail.dkim]\ndomain = "example.org"\nselector = "c1"\nkey_file = "{key}"\n' if key else ""
        text = CONFIG.format(metrics=self.metrics, port=port, connections=connections, dkim=dkim)
        (self.top / "clarion.toml").write_text(text)

    def fresh(self):
        for path in self.top.glob("clarion.db*"):
            path.unlink()
        for path in self.top.glob("kept-clarion.db*"):
            shutil.copy(path, self.top / path.name.removeprefix("kept-"))

    def daemon(self, clock):
        environment = {**os.environ, "CLARION_CLOCK": clock, "CLARION_LOG": "warn"}
        program = subprocess.Popen([CLARION, "--config", self.top / "clarion.toml"], env=environment, stdout=subprocess.DEVNULL)

        class Running:
            pid = program.pid

            def __enter__(self):
                return self

            def __exit__(self, *_):
                program.terminate()
                program.wait()

            def rest(self, seconds):
                time.sleep(seconds)
                if program.poll() is not None:
                    sys.exit(f"the daemon has ended with status {program.returncode}; is everything built from the same sources?")

        return Running()

    def settled(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=5) as answer:
                return sum(int(count) for count in re.findall(r'^clarion_deliveries_total\{state="sent"\} (\d+)', answer.read().decode(), re.M))
        except OSError:
            return 0

    def send(self, port, connections, key=None):
        """Sends the digest, and returns messages a second with what else was seen."""
        self.fresh()
        self.configure(port, connections, key)
        rest, cut, began = 0, 0, time.monotonic()
        with self.daemon("2026-11-16T08:00:00+09:00") as daemon:
            first = 0
            while (count := self.settled()) < self.people:
                if count and not first:
                    first, counted, cut = time.monotonic(), count, time.monotonic() - began
                if not count:
                    rest = max(rest, memory(daemon.pid, "VmRSS"))
                daemon.rest(0.1 if self.people < 100_000 else 1)
            took = time.monotonic() - first
            peak = memory(daemon.pid, "VmHWM")
            size = sum(path.stat().st_size for path in self.top.glob("clarion.db*"))
        return (self.people - counted) / took, {"cut": cut, "all": first + took - began, "rest": rest, "peak": peak, "database": size}


def memory(pid, name):
    return int(re.search(rf"{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def source(port, connections, octets, messages=SAMPLE):
    start = time.monotonic()
    command = [SOURCE, "-d", "-s", str(connections), "-m", str(messages), "-l", str(octets), "-f", "a@example.org", "-t", "b@example.org"]
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True)
    return messages / (time.monotonic() - start)


def transport(site, port, connections, mail):
    site.configure(port, connections)
    command = [MAILROOM, "transport", site.top / "clarion.toml", mail, str(SAMPLE), str(connections)]
    return SAMPLE / float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def sample(site):
    """One mail as it is sent: what the transport is measured with, and how long it is."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o777)
        port = free_port()
        sink = subprocess.Popen([SINK, "-u", "nobody", "-d", str(folder / "mail."), f"127.0.0.1:{port}", "64"], stderr=subprocess.DEVNULL)
        site.fresh()
        site.configure(port, 1)
        with site.daemon("2026-11-16T08:00:00+09:00") as daemon:
            while not (found := list(folder.iterdir())) or not found[0].stat().st_size:
                daemon.rest(0.1)
            time.sleep(0.5)
        sink.terminate()
        text = found[0].read_bytes()
        # The sink adds lines of its own before the message.
        text = text[text.index(b"Message-ID") if b"Message-ID" in text else 0:].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        path = site.top / "sample.eml"
        path.write_bytes(text)
        return path


def key_for(site):
    made = subprocess.run([CLARION, "--config", site.top / "clarion.toml", "keys", "dkim", "--selector", "c1"], stdout=subprocess.PIPE, text=True)
    found = list(site.top.glob("*dkim*"))
    return found[0] if made.returncode == 0 and found else None


def told(name, rates, sources):
    ratio = statistics.median(rate / source for rate, source in zip(rates, sources))
    print(f"  {name:22} {statistics.median(rates):9.0f}/s   ratio {ratio:.2f}", flush=True)


def main():
    for program in [CLARION, MAILROOM, SINK, SOURCE]:
        if not program or not os.access(program, os.X_OK):
            sys.exit(f"missing: {program}; see the top of this file")
    with tempfile.TemporaryDirectory() as name:
        start = time.monotonic()
        site = Site(pathlib.Path(name), PEOPLE)
        print(f"{PEOPLE} people entered, in {time.monotonic() - start:.0f} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        mail, key = sample(site), key_for(site)
        octets = mail.stat().st_size
        print(f"a mail has {octets} octets", "" if key else "(no DKIM key to be had: nothing is signed)")
        for connections in CONNECTIONS:
            measure(site, connections, octets, mail, key)
        if PEOPLE <= 20_000:
            slow(site, octets)
        print(f"load {os.getloadavg()[0]:.1f}")


def measure(site, connections, octets, mail, key):
    print(f"{connections} connections", flush=True)
    rates = {"smtp-source": [], "transport alone": [], "mailing": [], "mailing, signed": []}
    for number in range(ROUNDS):
        turns = [
            ("smtp-source", lambda port: (source(port, connections, octets), None)),
            ("transport alone", lambda port: (transport(site, port, connections, mail), None)),
            ("mailing", lambda port: site.send(port, connections)),
            ("mailing, signed", lambda port: site.send(port, connections, key) if key else (0, None)),
        ]
        for name, turn in turns if number % 2 else reversed(turns):
            with Sink() as sink:
                rate, seen = turn(sink.port)
            rates[name].append(rate)
            if seen:
                print("  ", name, json.dumps({what: round(value, 1) for what, value in seen.items()}), flush=True)
    for name in rates:
        if any(rates[name]):
            told(name, rates[name], rates["smtp-source"])


def slow(site, octets):
    with Sink() as sink, SlowLine(sink.port, 20) as line:
        print(f"20 ms from question to answer, 10 connections\n  {'smtp-source':22} {source(line.port, 10, octets, 2000):9.0f}/s", flush=True)
        rate, _ = site.send(line.port, 10)
        print(f"  {'mailing':22} {rate:9.0f}/s")


main()
