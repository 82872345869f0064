"""The trial behind .ci/postfix: Clarion, Postfix and Dovecot in a folder of their own."""
import contextlib, datetime, json, os, pathlib, pwd, random, re, shutil, smtplib, socket, subprocess, sys, tempfile, time

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
WAYS = sys.argv[2:] or ["pipe", "maildir", "imap"]
USER = "nobody"
DOMAIN = "bounces.example.org"
PATIENCE = 90
failures = 0


def check(what, found, wanted):
    global failures
    fine = wanted(found) if callable(wanted) else found == wanted
    failures += not fine
    print(f"  {'ok  ' if fine else 'FAIL'} {what}: {found}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, look, between=lambda: None):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.5)
        between()
    raise SystemExit(f"{what} never came")


class Postfix:
    """One instance: what is for example.net and the bounce domain ends in Maildirs or the pipe."""

    def __init__(self, folder, way, port, clarion):
        self.folder, self.port = folder / "postfix", port
        etc = self.folder / "etc"
        for name in ("etc", "queue", "data"):
            (self.folder / name).mkdir(parents=True)
        shutil.chown(self.folder / "data", "postfix")
        user = pwd.getpwnam(USER)
        to_pipe = f"transport_maps = inline:{{ {{ {DOMAIN} = clarion: }} }}\n" if way == "pipe" else ""
        (etc / "main.cf").write_text(
            "compatibility_level = 3.6\n"
            f"queue_directory = {self.folder}/queue\ndata_directory = {self.folder}/data\n"
            "command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n"
            "mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = mx.test.invalid\nmydestination =\n"
            "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n"
            "smtpd_relay_restrictions = permit_mynetworks, reject\nrecipient_delimiter = +\n"
            f"maillog_file_prefixes = {self.folder}\nmaillog_file = {self.folder}/log\ndefault_transport = error:5.4.4 there is no outside here\n"
            f"virtual_mailbox_domains = example.net, {DOMAIN}\nvirtual_mailbox_base = {folder}/mail\n"
            f"virtual_mailbox_maps = pcre:{etc}/boxes\nvirtual_minimum_uid = 1\n"
            # Taken at the door and refused inside: a report comes later.
            "smtpd_reject_unlisted_recipient = no\n"
            f"virtual_uid_maps = static:{user.pw_uid}\nvirtual_gid_maps = static:{user.pw_gid}\n"
            "smtputf8_enable = yes\nnotify_classes =\n" + to_pipe
        )
        (etc / "boxes").write_text(f"/^bounces.*@{re.escape(DOMAIN)}$/ bounces/\n/^reader@example\\.net$/ reader/\n")
        master = pathlib.Path("/etc/postfix/master.cf").read_text()
        master = re.sub(r"(?m)^smtp +inet.*", f"127.0.0.1:{port} inet n - n - - smtpd", master)
        master = re.sub(r"(?m)^([a-z]+ +(?:unix|fifo|inet) +\S+ +\S+ +)y", r"\1n", master)
        master = "\n".join(line for line in master.splitlines() if not re.match(r"(submission|smtps|#)", line))
        # R: with the Return-Path; D: with the address that it was delivered to.
        pipe = f"clarion unix - n n - 1 pipe\n  flags=DRhu user={USER} argv={clarion} inbound\n"
        (etc / "master.cf").write_text(master + "\n" + pipe)
        for name in ("dynamicmaps.cf", "postfix-files"):
            for place in ("/etc/postfix", "/usr/share/postfix"):
                if (pathlib.Path(place) / name).exists():
                    shutil.copy(pathlib.Path(place) / name, etc)
        if pathlib.Path("/etc/postfix/dynamicmaps.cf.d").exists():
            shutil.copytree("/etc/postfix/dynamicmaps.cf.d", etc / "dynamicmaps.cf.d")

    def __enter__(self):
        subprocess.run(["postfix", "-c", self.folder / "etc", "start"], check=True)
        wait_for("Postfix", lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0)
        return self

    def __exit__(self, *_):
        subprocess.run(["postfix", "-c", self.folder / "etc", "stop"], stderr=subprocess.DEVNULL)

    def send(self, sender, to, message):
        with smtplib.SMTP("127.0.0.1", self.port) as smtp:
            smtp.sendmail(sender, [to], message)


class Dovecot:
    """The Maildir of the bounces, as a provider offers it."""

    def __init__(self, folder, port):
        self.folder, self.port = folder / "dovecot", port
        self.folder.mkdir()
        run = lambda *line: subprocess.run(line, cwd=self.folder, check=True, capture_output=True)
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=test", "-addext", "basicConstraints=critical,CA:TRUE")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
        (self.folder / "names").write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        run("openssl", "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-out", "cert.pem", "-extfile", "names")
        user = pwd.getpwnam(USER)
        for name in ("cur", "new", "tmp"):
            (folder / "mail/bounces/.Clarion" / name).mkdir(parents=True)
        for path in [folder / "mail/bounces", *(folder / "mail/bounces").rglob("*")]:
            shutil.chown(path, user.pw_uid, user.pw_gid)
        (self.folder / "dovecot.conf").write_text(
            f"base_dir = {self.folder}/run\nstate_dir = {self.folder}/state\nlog_path = {self.folder}/log\nprotocols = imap\nlisten = 127.0.0.1\n"
            f"ssl = required\nssl_cert = <{self.folder}/cert.pem\nssl_key = <{self.folder}/key.pem\n"
            f"mail_location = maildir:{folder}/mail/bounces\nfirst_valid_uid = 1\n"
            "passdb {\n  driver = static\n  args = password=correct-horse\n}\n"
            f"userdb {{\n  driver = static\n  args = uid={user.pw_uid} gid={user.pw_gid} home={folder}/mail\n}}\n"
            f"service imap-login {{\n  inet_listener imap {{\n    port = 0\n  }}\n  inet_listener imaps {{\n    port = {port}\n    ssl = yes\n  }}\n}}\n"
        )

    def __enter__(self):
        subprocess.run(["dovecot", "-c", self.folder / "dovecot.conf"], check=True)
        wait_for("Dovecot", lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0)
        return self

    def __exit__(self, *_):
        subprocess.run(["doveadm", "-c", self.folder / "dovecot.conf", "stop"])


class Clarion:
    def __init__(self, folder, way, relay, imap):
        self.folder, self.day = folder, datetime.date(2027, 9, 18)
        user = pwd.getpwnam(USER)
        shutil.copy(PROGRAM, folder / "clarion")
        (folder / "config/petitions").mkdir(parents=True)
        (folder / "content").mkdir()
        (folder / "config/missions.toml").write_text("")
        ways = {
            "pipe": "pipe = true\n",
            "maildir": f'maildir = "{folder}/mail/bounces"\n',
            "imap": f'[inbound.imap]\nhost = "localhost"\nport = {imap}\nuser = "bounces"\npassword_file = "password"\n'
            f'ca_file = "{folder}/dovecot/ca.pem"\nmove_to = "Clarion"\nevery = "10s"\n',
        }
        (folder / "config/password").write_text("correct-horse\n")
        (folder / "config/clarion.toml").write_text(
            '[site]\ntitle = "Trial"\nbase_url = "http://news.example.org"\nlanguages = ["en"]\ntime_zone = "Asia/Tokyo"\n'
            'postal_address = "1-1 Example"\nid_authority = "example.org,2026"\n'
            '[staff]\nmail = ["reader@example.net"]\n[content]\ndir = "../content"\n[web]\nlisten = "127.0.0.1:0"\n'
            '[database]\nurl = "sqlite:../var/clarion.db"\n[vault]\nkey_file = "../var/clarion.key"\n'
            f'[mail]\nfrom = "Trial <news@example.org>"\nenvelope = "bounces+{{token}}@{DOMAIN}"\n'
            f'transport = {{ kind = "smtp", host = "127.0.0.1", port = {relay}, tls = "none" }}\n'
            '[[digest]]\nname = "weekly"\ncron = "0 8 * * Mon"\n[[category]]\nslug = "news"\ntitle = "News"\n'
            f"[inbound]\n{ways[way]}"
        )
        (folder / "hand-over").write_text(
            f"#!/bin/sh\nCLARION_CLOCK=file:{folder}/clock exec {folder}/clarion --config {folder}/config/clarion.toml \"$@\"\n"
        )
        (folder / "hand-over").chmod(0o755)
        self.tell(12)
        for path in [folder, *folder.rglob("*")]:
            if not path.is_relative_to(folder / "postfix") and not path.is_relative_to(folder / "dovecot"):
                shutil.chown(path, user.pw_uid, user.pw_gid)

    def tell(self, hour, minute=0):
        self.hour, self.minute = hour, minute
        (self.folder / "clock.new").write_text(f"{self.day}T{hour:02}:{minute:02}:00+09:00")
        (self.folder / "clock.new").rename(self.folder / "clock")

    def wait(self, what, look):
        """Waits while the clock goes on, so that the mailbox is looked at."""
        return wait_for(what, look, lambda: self.tell(self.hour, min(self.minute + 1, 59)))

    def command(self, *words):
        line = ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups", self.folder / "hand-over", *words]
        return subprocess.run(line, capture_output=True, text=True, cwd=self.folder)

    def __enter__(self):
        line = ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups", self.folder / "hand-over", "serve"]
        self.log = open(self.folder / "log", "w")
        self.daemon = subprocess.Popen(line, stdout=self.log, stderr=self.log, cwd=self.folder)
        wait_for("Clarion", lambda: "listening" in (self.folder / "log").read_text())
        return self

    def __exit__(self, *_):
        self.daemon.terminate()
        self.daemon.wait()

    def subscribe(self, address):
        assert self.command("subscriber", "add", address, "--confirmed", "a card").returncode == 0

    def show(self, address):
        return json.loads(self.command("subscriber", "show", address, "--json").stdout)

    def week(self):
        """An article, and the Monday after it. Returns the mailing."""
        known = len(self.mailings())
        name = f"article-{self.day}"
        (self.folder / f"content/{name}.md").write_text(f'+++\ntitle = "{name}"\ndate = "{self.day}T10:00:00+09:00"\ncategories = ["news"]\n+++\n\nText.\n')
        listed = lambda: name in self.command("content", "list", "--json").stdout
        wait_for("the article", listed)
        self.day += datetime.timedelta(days=2)
        self.tell(8)
        wait_for("the digest", lambda: len(self.mailings()) > known and self.mailings()[0]["state"] == "done")
        return self.mailings()[0]["id"]

    def weekend(self):
        self.day += datetime.timedelta(days=5)
        self.tell(12)

    def mailings(self):
        return [one for one in json.loads(self.command("mailing", "list", "--json").stdout) if one["kind"] == "digest"]


def newest(folder):
    return max((path for path in folder.glob("*") if path.is_file()), key=lambda path: path.stat().st_mtime, default=None)


def trial(way, folder):
    print(f"== {way}", flush=True)
    relay, imap = free_port(), free_port()
    clarion = None
    (folder / "mail/bounces").mkdir(parents=True)
    (folder / "mail/reader").mkdir(parents=True)
    for name in ("cur", "new", "tmp"):
        (folder / "mail/bounces" / name).mkdir()
    with contextlib.ExitStack() as stack:
        postfix = Postfix(folder, way, relay, folder / "hand-over")
        dovecot = Dovecot(folder, imap) if way == "imap" else None
        clarion = Clarion(folder, way, relay, imap)
        stack.enter_context(postfix)
        if dovecot:
            stack.enter_context(dovecot)
        stack.enter_context(clarion)
        gone, reader = "nosuchuser@example.net", "reader@example.net"
        clarion.subscribe(gone)
        clarion.subscribe(reader)

        clarion.week()
        clarion.wait("the first report", lambda: clarion.show(gone)["bounces"])
        found = clarion.show(gone)
        check("after one mailing", (found["deliverability"], [one["cause"] for one in found["bounces"]]), ("good", ["unknown user"]))
        mail = clarion.wait("the reader's mail", lambda: newest(folder / "mail/reader/new")).read_text()

        # What others make up: the token of the reader's own mail, changed, cut, of another number.
        token = re.search(r"bounces\+([a-z2-7]{24})@", mail).group(1)
        dice = random.Random(7)
        letters = "abcdefghijklmnopqrstuvwxyz234567"
        for number in range(30):
            at = dice.randrange(24)
            forged = token[:at] + dice.choice([letter for letter in letters if letter != token[at]]) + token[at + 1 :]
            forged = forged[: dice.randrange(8, 24)] if number % 5 == 0 else forged
            report = (pathlib.Path(__file__).parent.parent / "tests/fixtures/inbound/postfix.eml").read_text()
            report = report.replace("TOKEN", forged).replace("example.org", DOMAIN)
            # The server writes that line itself, and takes one that is there for a loop.
            report = re.sub(r"(?m)^Delivered-To:.*\r?\n", "", report)
            postfix.send("", f"bounces+{forged}@{DOMAIN}", report.encode())
        listed = lambda: json.loads(clarion.command("inbound", "list", "--json").stdout)
        clarion.wait("the forged reports", lambda: len(listed()) >= 20)
        check("thirty forged reports are kept, twenty of them, and believed by nobody", (len(listed()), clarion.show(reader)["bounces"]), (20, []))
        check("what is kept", {one["kind"] for one in listed()}, {"unproven"})

        clarion.weekend()
        clarion.week()
        clarion.wait("the second report", lambda: len(clarion.show(gone)["bounces"]) == 2)
        check("after two mailings", clarion.show(gone)["deliverability"], "paused")

        clarion.weekend()
        third = clarion.week()
        report = clarion.command("mailing", "report", str(third), "--csv").stdout
        check("the third mailing", sorted(re.findall(r",(sent|skipped),([a-z ]*)", report)), [("sent", ""), ("skipped", "bounced")])

        # Somebody asks with that address, and a week later again: what is sent for it are the last
        # two trials.
        clarion.weekend()
        clarion.command("subscriber", "add", gone)
        clarion.wait("the report of the first trial", lambda: len(clarion.show(gone)["bounces"]) == 3)
        check("after one trial", clarion.show(gone)["deliverability"], "paused")
        clarion.day += datetime.timedelta(days=7)
        clarion.tell(12)
        clarion.command("subscriber", "add", gone)
        clarion.wait("the last report", lambda: clarion.show(gone)["deliverability"] == "bad")
        fourth = clarion.week()
        report = clarion.command("mailing", "report", str(fourth), "--csv").stdout
        check("the fourth mailing", "address does not exist" in report, True)

        # The reader leaves by the address in the header of their mail.
        address = re.search(r"mailto:(bounces\+leave-[a-z2-7]{24}@[a-z.]+)", re.sub(r"\r?\n[ \t]", "", mail)).group(1)
        postfix.send(reader, address, f"From: {reader}\r\nTo: {address}\r\nSubject: unsubscribe\r\n\r\n".encode())
        clarion.wait("leaving", lambda: clarion.show(reader)["subscription"]["state"] == "left")
        check("who left by mail", clarion.show(reader)["consent"][-1]["method"], "mail")

        if way == "pipe":
            log = (folder / "postfix/log").read_text()
            check("every hand-over ended well", len(re.findall(r"postfix/pipe.*status=(?!sent)", log)), 0)
        if way == "maildir":
            clarion.wait("an empty folder", lambda: not list((folder / "mail/bounces/new").iterdir()))
            taken = list((folder / "mail/bounces/cur").iterdir())
            check("what was taken in lies in cur", len(taken), lambda count: count >= 34)
            real = [path.read_text() for path in taken if "Original-Envelope-Id" in path.read_text()]
            check("the reports show the name that we gave", all("Original-Envelope-Id: bounces+" in text for text in real[-1:]), True)
        if way == "imap":
            moved = lambda: list((folder / "mail/bounces/.Clarion/cur").iterdir()) + list((folder / "mail/bounces/.Clarion/new").iterdir())
            clarion.wait("an empty mailbox", lambda: not list((folder / "mail/bounces/cur").iterdir()) and not list((folder / "mail/bounces/new").iterdir()))
            check("what was taken in was moved, none deleted", len(moved()), lambda count: count >= 34)
        secrets = [word for word in (gone, reader, "correct-horse") if word in (folder / "log").read_text()]
        check("the log names nobody", secrets, [])


def main():
    with tempfile.TemporaryDirectory(prefix="clarion-postfix-") as place:
        pathlib.Path(place).chmod(0o755)
        for way in WAYS:
            folder = pathlib.Path(place) / way
            folder.mkdir()
            try:
                trial(way, folder)
            except BaseException:
                for name in ("log", "postfix/log", "dovecot/log"):
                    if (folder / name).exists():
                        print(f"-- {name}\n" + "\n".join((folder / name).read_text().splitlines()[-40:]))
                raise
    print("Postfix: 0 failed" if not failures else f"Postfix: {failures} failed")
    sys.exit(bool(failures))


main()
