"""Has the program send signed mails through a real Postfix, and verifies what arrives:
signatures.py PROGRAM FOLDER, where the folder has mailauth.

Kinds of mail: ASCII alone; Japanese, its subject of many lines; a long subject of both; a test mail
that nobody can leave.
Each is changed in many ways, and no changed one may verify. Prints a line per kind and verifier;
exits with 1 on any disagreement.
"""

import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import dkim

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
MODULES = pathlib.Path(sys.argv[2]).resolve()
MAILAUTH = pathlib.Path(__file__).with_name("signatures.mjs")
SATURDAY, MONDAY = "2027-09-18T12:00:00+09:00", "2027-09-20T08:00:30+09:00"
PATIENCE = 120
NOBODY = pwd.getpwnam("nobody")
KINDS = {
    "plain": ("en", "A meeting in October", "We meet on the fourth.\n\nEverybody is welcome.  Two spaces,\ttab.\n"),
    "cjk": ("ja", "十月の集会のお知らせ", "四日に集まります。\n\nどなたでもお越しください。\n"),
    "long": (
        "en",
        "A very long title that goes on and on, with “quotes”, 漢字 and more words than any line of a header can hold "
        "without being folded several times over, as titles of statements by several organisations are",
        "Text.\n\n" + "word " * 400 + "\n",
    ),
}
CONFIG = """
[site]
title = { en = "The Harbour", ja = "港のニュース、遠くから来る人々と、その人々を待つ人々のためのお知らせと呼びかけと報告" }
base_url = "https://news.example.org"
languages = ["en", "ja"]
time_zone = "Asia/Tokyo"
postal_address = "1-1 Example, Tokyo"
[staff]
mail = ["office@example.net"]
[content]
dir = "content"
[web]
listen = "127.0.0.1:0"
[database]
url = "sqlite:clarion.db"
[vault]
key_file = "clarion.key"
[mail]
from = "港のニュース The Harbour <news@example.org>"
reply_to = "office@example.org"
envelope = "bounces+{token}@example.org"
transport = { kind = "smtp", host = "127.0.0.1", port = PORT, tls = "none" }
[[digest]]
name = "weekly"
cron = "0 8 * * Mon"
"""
SECTION = """
[mail.dkim]
selector = "c1"
key_file = "dkim-c1.pem"
[mail.dkim.ed25519]
selector = "e1"
key_file = "dkim-e1.pem"
"""
MASTER = """
127.0.0.1:PORT inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
MAIN = """
compatibility_level = 3.6
queue_directory = D/queue
data_directory = D/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.test.invalid
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
maillog_file = D/log
maillog_file_prefixes = /tmp, /var
default_transport = error:5.4.4 nothing leaves this machine
virtual_mailbox_domains = example.net
virtual_mailbox_base = D/mail
virtual_mailbox_maps = static:all/
smtpd_reject_unlisted_recipient = no
virtual_uid_maps = static:UID
virtual_gid_maps = static:GID
notify_classes =
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postfix:
    """An instance of its own, with its own queue; what is for example.net becomes a file."""

    def __init__(self, folder):
        self.folder, self.port = folder / "postfix", free_port()
        self.arrived = self.folder / "mail/all/new"
        for name in ("etc", "queue", "data", "mail"):
            (self.folder / name).mkdir(parents=True)
        shutil.chown(self.folder / "data", "postfix")
        os.chown(self.folder / "mail", NOBODY.pw_uid, NOBODY.pw_gid)
        main = MAIN.replace("D/", f"{self.folder}/").replace("UID", str(NOBODY.pw_uid)).replace("GID", str(NOBODY.pw_gid))
        (self.folder / "etc/main.cf").write_text(main)
        (self.folder / "etc/master.cf").write_text(MASTER.replace("PORT", str(self.port)))
        self.command("start")

    def command(self, what):
        subprocess.run(["/usr/sbin/postfix", "-c", self.folder / "etc", what], check=True, stderr=subprocess.DEVNULL)


class Site:
    """The program in a folder, with its keys, articles and subscribers."""

    def __init__(self, folder, port):
        self.folder = folder
        (folder / "content").mkdir()
        categories = "".join(f'[[category]]\nslug = "{kind}"\ntitle = "{kind}"\n' for kind in KINDS)
        config = CONFIG.replace("PORT", str(port))
        (folder / "clarion.toml").write_text(config + categories)
        self.clock(SATURDAY)
        keys = [self.told("keys", "dkim"), self.told("keys", "dkim", "--ed25519")]
        self.zone = {key["name"]: key["strings"] for key in keys}
        assert all("".join(key["strings"]) == key["value"] and max(map(len, key["strings"])) <= 255 for key in keys)
        (folder / "clarion.toml").write_text(config + SECTION + categories)
        for kind, (language, title, text) in KINDS.items():
            front = f'+++\ntitle = "{title}"\ndate = 2027-09-18T10:00:00+09:00\ncategories = ["{kind}"]\n+++\n'
            (folder / f"content/{kind}.{language}.md").write_text(front + text)

    def clock(self, instant):
        draft = self.folder / ".clock"
        draft.write_text(instant)
        draft.rename(self.folder / "clock")

    def command(self, *arguments):
        environment = os.environ | {"CLARION_CLOCK": f"file:{self.folder}/clock"}
        return {"args": [PROGRAM, "--config", self.folder / "clarion.toml", *arguments], "env": environment, "cwd": self.folder}

    def told(self, *arguments):
        return json.loads(subprocess.run(**self.command("--json", *arguments), check=True, capture_output=True).stdout)

    def run(self, *arguments):
        subprocess.run(**self.command(*arguments), check=True, stdout=subprocess.DEVNULL)


def wait_for(what, found):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.2)
    raise SystemExit(f"{what} did not come within {PATIENCE} seconds")


def send(site, postfix):
    """Lets the daemon send a digest of each kind, and a test mail; returns the mails by kind."""
    for kind, (language, _, _) in KINDS.items():
        site.run("subscriber", "add", f"{kind}@example.net", "--confirmed", "on paper", "--topic", kind, "--language", language)
    with open(site.folder / "log", "wb") as log:
        daemon = subprocess.Popen(**site.command(), stdout=log, stderr=log)
    try:
        listed = lambda: [line for line in site.told("content", "list") if line]
        wait_for("the articles", lambda: len(listed()) == len(KINDS))
        time.sleep(7)  # every step has looked
        site.clock(MONDAY)
        site.run("mail", "test", "test@example.net")
        wait_for("the mails", lambda: postfix.arrived.is_dir() and len(list(postfix.arrived.iterdir())) > len(KINDS))
    finally:
        daemon.terminate()
        daemon.wait(30)
    mails = {}
    for file in postfix.arrived.iterdir():
        mail = file.read_bytes()
        assert b"\r" not in mail
        to = re.search(rb"^To: (\w+)@example\.net", mail, re.M)[1].decode()
        if to in KINDS or to == "test":
            mails[to] = mail.replace(b"\n", b"\r\n")
    return mails


def headers(mail, name):
    head = mail.split(b"\r\n\r\n")[0] + b"\r\n"
    return re.findall(rb"^%s:((?:.*\r\n)(?:[ \t].*\r\n)*)" % name.encode(), head, re.M | re.I)


def changed(mail):
    """The mail changed as somebody on the way might, by name of the change."""
    head, body = mail.split(b"\r\n\r\n", 1)
    fold = lambda name, new: re.sub(rb"^%s:.*\r\n(?:[ \t].*\r\n)*" % name, new, head + b"\r\n", count=1, flags=re.M)[:-2] + b"\r\n\r\n" + body
    middle = len(body) // 2
    while not chr(body[middle]).isalnum():
        middle += 1
    other = b"A" if body[middle : middle + 1] != b"A" else b"B"
    changes = {
        "body": head + b"\r\n\r\n" + body[:middle] + other + body[middle + 1 :],
        "more text": mail + b"more\r\n",
        "another subject": fold(b"Subject", b"Subject: Another\r\n"),
        "another date": fold(b"Date", b"Date: Mon, 01 Jan 2029 00:00:00 +0000\r\n"),
        "no reply-to": fold(b"Reply-To", b""),
        "another type": fold(b"Content-Type", b"Content-Type: text/plain\r\n"),
        "another list": fold(b"List-Id", b"List-Id: <other.example.org>\r\n"),
        "no feedback": fold(b"Feedback-ID", b""),
    }
    if b"\r\nList-Unsubscribe:" in head:
        changes["another way out"] = fold(b"List-Unsubscribe", b"List-Unsubscribe: <https://evil.example/>\r\n")
        changes["no one-click"] = fold(b"List-Unsubscribe-Post", b"")
    for name in ("From", "To", "Cc", "Subject", "Date", "Reply-To", "Message-ID", "Content-Type", "MIME-Version", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"):
        # Readers show the first of two; verifiers take the last.
        changes[f"one more {name}"] = name.encode() + b": <x@evil.example>\r\n" + mail
    return {name: change for name, change in changes.items() if change != mail}


def by_dkimpy(zone, mails):
    def ask(name, timeout=5):
        name = name.decode() if isinstance(name, bytes) else name
        strings = zone.get(name.rstrip("."))
        return "".join(strings).encode() if strings else None

    def results(mail):
        told = []
        for at in range(len(headers(mail, "DKIM-Signature"))):
            verifier = dkim.DKIM(mail, minkey=2048)
            try:
                good = verifier.verify(idx=at, dnsfunc=ask)
            except dkim.DKIMException:
                good = False
            algorithm = re.search(rb"a=([\w-]+)", headers(mail, "DKIM-Signature")[at])[1].decode()
            told.append(f"{algorithm} {'pass' if good else 'fail'}")
        return told

    return {name: results(mail) for name, mail in mails.items()}


def by_mailauth(zone, mails, folder):
    names = {}
    for at, (name, mail) in enumerate(mails.items()):
        (folder / f"{at}.eml").write_bytes(mail)
        names[str(folder / f"{at}.eml")] = name
    (folder / "zone.json").write_text(json.dumps(zone))
    told = subprocess.run(["node", MAILAUTH, MODULES, folder / "zone.json", *names], check=True, capture_output=True).stdout
    results = {names[file]: results for file, results in json.loads(told).items()}
    return {name: [re.sub(" (?!pass$).*", " fail", result) for result in found] for name, found in results.items()}


def by_opendkim(zone, mails, folder):
    """It reads one file at a time, with the line ends of this system, and tells of the first
    signature that is good. Debian's knows RSA alone."""
    keys = "".join(f"{name} {''.join(strings)}\n" for name, strings in zone.items())
    (folder / "keys").write_text(keys)
    (folder / "opendkim.conf").write_text(f"Mode v\nTestPublicKeys {folder}/keys\nSyslog no\nInternalHosts 192.0.2.1\nAlwaysAddARHeader yes\n")
    results = {}
    for name, mail in mails.items():
        file = folder / "opendkim.eml"
        file.write_bytes(mail.replace(b"\r\n", b"\n"))
        ran = subprocess.run(["/usr/sbin/opendkim", "-x", folder / "opendkim.conf", "-vv", "-t", file], capture_output=True, text=True)
        told = ran.stdout + ran.stderr
        good = re.search(r"verification \(s=\w+, d=example\.org.*succeeded|dkim=pass", told)
        bad = re.search(r"verification .*failed|dkim=(?:fail|neutral|permerror|policy)|bad signature|signature mismatch", told)
        assert bool(good) != bool(bad), f"OpenDKIM says of “{name}”: {told}"
        results[name] = ["rsa-sha256 pass" if good else "rsa-sha256 fail"]
    return results


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="clarion-dkim."))
    folder.chmod(0o755)
    postfix, failures = None, []
    try:
        postfix = Postfix(folder)
        (folder / "site").mkdir()
        site = Site(folder / "site", postfix.port)
        mails = send(site, postfix)
        assert sorted(mails) == sorted([*KINDS, "test"]), sorted(mails)
        for kind, mail in mails.items():
            assert headers(mail, "Received"), "it went through Postfix"
            way_out = bool(headers(mail, "List-Unsubscribe")) and bool(headers(mail, "List-Unsubscribe-Post"))
            assert way_out == (kind != "test"), kind
            assert mail.count(b"Content-Type: multipart/alternative") == 1
        assert b"=?utf-8?b?" in headers(mails["cjk"], "Subject")[0].lower()
        folds = {kind: headers(mail, "Subject")[0].count(b"\r\n") for kind, mail in mails.items()}
        assert folds["plain"] == 1 and folds["long"] > 1 and folds["cjk"] > 3, folds
        verifiers = {
            "dkimpy": (lambda mails: by_dkimpy(site.zone, mails), 2),
            "mailauth": (lambda mails: by_mailauth(site.zone, mails, folder), 2),
            "opendkim": (lambda mails: by_opendkim(site.zone, mails, folder), 1),
        }
        for kind, mail in mails.items():
            forged = changed(mail)
            for verifier, (verify, signatures) in verifiers.items():
                whole = verify({"whole": mail})["whole"]
                right = sorted(whole) == sorted(["rsa-sha256 pass", "ed25519-sha256 pass"][:signatures])
                passed = [name for name, results in verify(forged).items() if any(result.endswith("pass") for result in results)]
                print(f"{kind:6} {verifier:9} {', '.join(whole)}; of {len(forged)} changed {len(passed)} pass {passed or ''}")
                if not right or passed:
                    failures.append((kind, verifier))
    finally:
        if postfix:
            postfix.command("stop")
        if failures or sys.exc_info()[0]:
            log = folder / "site/log"
            print(log.read_text()[-4000:] if log.exists() else "", file=sys.stderr)
            maillog = folder / "postfix/log"
            print(maillog.read_text()[-2000:] if maillog.exists() else "", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
