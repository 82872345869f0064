"""Publishes hostile texts, opens each page in headless Chromium, and proves that nothing runs.

Between the browser and the program stands a proxy, twice:

- *as it is*: answers pass unchanged, and nothing may run, and no request may go elsewhere;
- *without policy*: the Content-Security-Policy is taken away, so that the sanitiser alone is
  tried, and a script of ours looks at every element as the browser has understood it, and fires
  the events that a person would.

Every host name leads to a listener of ours, which notes what is asked of others. First comes a
control: the same texts unsanitised must run, else this proves nothing.
"""

import base64
import html
import http.client
import http.server
import json
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PROGRAM, FEEDPARSER = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
OWN = Path("tests/fixtures/content/hostile.txt")
# What a text does when it runs: it asks our own host for a picture below its page, which the
# policy lets pass. It holds neither space nor quote, so that it fits into every attribute.
RAN = "(new/**/Image().src=/__ran/.source+Math.random())"
# Whom the browser itself asks, whatever is shown in it; no text names them.
BROWSER = ["*.google.com", "*.googleapis.com", "*.gstatic.com", "*.gvt1.com"]
PATIENCE = 60


def payloads():
    """(name, extension, text) of every case."""
    for number, line in enumerate(OWN.read_text().splitlines()):
        if line.strip():
            yield f"own-{number}", "html", line
            yield f"own-{number}", "md", line
    folders = [FEEDPARSER / "tests/wellformed/sanitize", FEEDPARSER / "tests/illformed"]
    files = sorted(file for folder in folders for file in folder.rglob("*.xml"))
    if len(files) < 500:
        sys.exit("sanitiser: feedparser's cases are not there")
    for file in files:
        text = "\n".join(texts_of_feed(file.read_bytes()))
        yield f"feedparser-{file.parent.name}-{file.stem}", "html", text


def texts_of_feed(raw):
    """The texts of a feed in which HTML may be: escaped, inline or in base64."""
    try:
        root = ElementTree.fromstring(raw)
    except (ElementTree.ParseError, ValueError, LookupError):
        text = raw.decode("utf-8", "replace")
        return [text, html.unescape(text)]
    texts = []
    for element in root.iter():
        text = element.text or ""
        if element.get("mode") == "base64":
            text = base64.b64decode(text + "==").decode("utf-8", "replace")
        if text.strip():
            texts.append(text)
        if any("xhtml" in child.tag for child in element if isinstance(child.tag, str)):
            inner = "".join(ElementTree.tostring(child, encoding="unicode") for child in element)
            texts.append(re.sub(r"<(/?)(?:html|ns\d+):", r"<\1", inner))
    return texts


def armed(text):
    """The text, doing what can be noticed."""
    text = re.sub(r"alert\((?:[^()]|\([^()]*\))*\)", RAN, text)
    text = re.sub(r"(?:window\.)?location\.href\s*=\s*(?:'[^']*'(?:\+'[^']*')*)", RAN, text)
    # The listener speaks no TLS.
    text = re.sub(r"(?i)https://", "http://", text)
    return re.sub(r"(?i)(google|googleapis|gstatic|gvt1)\.com", "evil.example", text)


class Watch:
    """What was noticed since it was asked last."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ran, self.asked, self.reports = [], [], {}


watch = Watch()


class Sink(socketserver.StreamRequestHandler):
    """Every other host."""

    def handle(self):
        self.request.settimeout(5)
        try:
            head = self.request.recv(65536).decode("latin-1")
        except OSError:
            return
        if not head:
            return
        accepts = re.search(r"(?im)^accept: (\S+)", head)
        kind = "image" if accepts and accepts.group(1).startswith("image/") else "other"
        host = re.search(r"(?im)^host: (\S+)", head)
        line = head.split("\r\n")[0]
        with watch.lock:
            watch.asked.append((kind, host.group(1) if host else "?", line[:120]))
        self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


LOOK = """
<script id=__look>(function(){
  const events = ['click','dblclick','mouseover','mouseenter','mousedown','focus','focusin','blur','load','error','toggle','begin','start',
                  'animationstart','animationend','transitionend','keydown','input','change','submit','pointerover','wheel','beforetoggle'];
  const forbidden = 'script:not(#__look),style,iframe,frame,frameset,object,embed,applet,base,form,input,button,select,textarea,svg,math,' +
                    'template,noscript,audio,video,meta[http-equiv],link:not([href="/assets/style.css"]):not([rel=alternate]):not([rel=canonical])';
  function look(){
    const bad = [];
    for (const e of document.querySelectorAll(forbidden)) bad.push('element ' + e.outerHTML.slice(0, 120));
    for (const e of document.querySelectorAll('*')) {
      if (e.id === '__look') continue;
      if (e.shadowRoot) bad.push('shadow root');
      for (const a of e.attributes) {
        if (/^on/i.test(a.name) || a.name === 'style' || a.name === 'srcdoc') bad.push('attribute ' + a.name + ' of ' + e.outerHTML.slice(0, 120));
        if (/^(href|src|action|formaction|poster|data|cite|background|xlink:href)$/i.test(a.name)) {
          const scheme = new URL(a.value, document.baseURI).protocol;
          if (!/^(https?|mailto|tel):$/.test(scheme) && !/^data:image\\/(png|jpeg|gif|webp|avif)[;,]/i.test(a.value.trim()))
            bad.push('scheme ' + scheme + ' in ' + e.outerHTML.slice(0, 120));
        }
      }
    }
    for (const e of document.querySelectorAll('.text [id], .text [name]'))
      if (e.hasAttribute('name') || !e.id.startsWith('a-')) bad.push('name ' + e.outerHTML.slice(0, 120));
    if (document.querySelectorAll('main').length !== 1 || !document.querySelector('footer.site')) bad.push('the page is broken open');
    if (document.querySelector('.text') && !document.querySelector('main .text')) bad.push('the text has left its place');
    return bad;
  }
  addEventListener('click', e => e.preventDefault(), true);
  addEventListener('submit', e => e.preventDefault(), true);
  addEventListener('DOMContentLoaded', () => {
    const bad = look();
    for (const e of document.querySelectorAll('*')) for (const name of events)
      try { e.dispatchEvent(new Event(name, {bubbles: false, cancelable: true})); } catch (error) {}
    setTimeout(() => {
      fetch('/__report', {method: 'POST', body: JSON.stringify({page: location.pathname + location.search, bad})})
        .then(answer => answer.text()).then(next => { if (next) location.replace(next); });
    }, 150);
  });
})();</script>
"""


# Opens windows in which our look leads from page to page.
OPENER = "<!doctype html><script>for (let number = 0; number < 6; number++) window.open('/__next', '_blank', 'width=800,height=600');</script>"
# Opens the pages unchanged, each for a second, in twelve windows.
DRIVER = """<!doctype html><script>
let at = 0, open = 0;
const pages = PAGES;
function go(shown) {
  if (at === pages.length) { shown.close(); if (--open === 0) location.href = '/__end'; return; }
  shown.location = pages[at++];
  setTimeout(go, 1000, shown);
}
for (let number = 0; number < 12; number++) { open++; go(window.open('about:blank', '_blank', 'width=800,height=600')); }
</script>"""


class Proxy(http.server.BaseHTTPRequestHandler):
    """Our own host: the program, seen through a proxy that leads the browser from page to page."""

    protocol_version = "HTTP/1.1"
    strips, pages, queue, controls, upstream = False, [], [], {}, None

    def log_message(self, *_):
        pass

    def send(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def next_page(self):
        with watch.lock:
            return type(self).queue.pop(0) if type(self).queue else ""

    def do_POST(self):
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with watch.lock:
            watch.reports[report["page"]] = report["bad"]
        self.send(200, [("Content-Type", "text/plain")], self.next_page().encode())

    def do_GET(self):
        # With its number: an address may hold the text of the script, which is no harm.
        if re.search(r"/__ran0\.\d+", self.path):
            with watch.lock:
                watch.ran.append(self.path)
            return self.send(404, [], b"")
        if self.path == "/__end":
            with watch.lock:
                watch.reports["/__end"] = []
            return self.send(200, [("Content-Type", "text/html")], b"<title>end</title>")
        if self.path == "/__next":
            page = self.next_page()
            return self.send(302 if page else 204, [("Location", page)] if page else [], b"")
        if self.path == "/__driver" and type(self).strips:
            return self.send(200, [("Content-Type", "text/html")], OPENER.encode())
        if self.path == "/__driver":
            return self.send(200, [("Content-Type", "text/html")], DRIVER.replace("PAGES", json.dumps(type(self).pages)).encode())
        if self.path in type(self).controls:
            status, headers, body = 200, [("Content-Type", "text/html; charset=utf-8")], type(self).controls[self.path]
        elif type(self).upstream:
            status, headers, body = self.from_program()
        else:
            status, headers, body = 404, [], b""
        is_page = self.path in type(self).pages
        if type(self).strips:
            headers = [(name, value) for name, value in headers if name.lower() != "content-security-policy"]
            if is_page:
                # First of all, so that nothing in the page comes before it.
                body = re.sub(rb"(?i)<head>", lambda found: found.group() + LOOK.encode(), body, count=1)
        elif is_page:
            with watch.lock:
                watch.reports[self.path] = [] if status == 200 else [f"status {status}"]
        self.send(status, headers, body)

    do_HEAD = do_GET

    def from_program(self):
        connection = http.client.HTTPConnection(*type(self).upstream, timeout=30)
        connection.request(self.command, self.path, headers={"Host": self.headers["Host"]})
        answer = connection.getresponse()
        body = answer.read()
        skipped = ("content-length", "transfer-encoding", "connection", "date")
        return answer.status, [(name, value) for name, value in answer.getheaders() if name.lower() not in skipped], body


def server(handler):
    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

        def handle_error(self, *_):
            """The browser breaks off when it goes on to the next page."""

    listening = Threads(("127.0.0.1", 0), handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    return listening.server_address[1]


def browse(pages, port, sink, strips, folder):
    """Opens pages one after the other; what was noticed is in `watch` then."""
    Proxy.pages, Proxy.queue, Proxy.strips = pages, list(pages), strips
    with watch.lock:
        watch.ran, watch.asked, watch.reports = [], [], {}
    profile = tempfile.mkdtemp(dir=folder)
    chromium = subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-pings", "--disable-popup-blocking",
         "--remote-debugging-port=0", f"--user-data-dir={profile}",
         "--host-resolver-rules=" + ",".join(f"MAP {host} ~NOTFOUND" for host in BROWSER) + f",MAP * 127.0.0.1:{sink},EXCLUDE 127.0.0.1", f"http://127.0.0.1:{port}/__driver"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen, since = -1, time.monotonic()
        while True:
            time.sleep(0.1)
            with watch.lock:
                count = len(watch.reports)
                ended = "/__end" in watch.reports or strips and all(page in watch.reports for page in pages)
            if ended:
                time.sleep(1)
                break
            if count != seen:
                seen, since = count, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                left = [page for page in pages if page not in watch.reports]
                sys.exit(f"sanitiser: the browser went no further; {left[:3]} would come next")
    finally:
        chromium.terminate()
        chromium.wait()
        shutil.rmtree(profile, ignore_errors=True)


def control(port, sink, folder):
    """Texts that nobody cleaned must be seen to run, by every way in which it is noticed."""
    frame = "<!doctype html><html><head></head><body><main><div class=text>{}</div></main><footer class=site></footer></body></html>"
    texts = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>x</a>", "<p onmouseover=alert(1)>x</p>",
             "<link rel=stylesheet href=https://evil.example/x.css>", "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
             "<p style='background:url(https://evil.example/y)'>x</p>", "<iframe srcdoc='<script>alert(1)</script>'></iframe>"]
    Proxy.controls = {f"/__control/{number}/": frame.format(armed(text)).encode() for number, text in enumerate(texts)}
    browse(list(Proxy.controls), port, sink, True, folder)
    unseen = [text for text, page in zip(texts, Proxy.controls) if not watch.reports.get(page)]
    # Of the scripts, two run by themselves and one by an event that we fire, at least.
    expectations = {"texts with bad elements or attributes": (len(texts) - len(unseen), len(texts)),
                    "texts whose script ran": (len({ran.split("__ran")[0] for ran in watch.ran}), 3),
                    "requests to others": (len([host for _, host, _ in watch.asked if host == "evil.example"]), 2)}
    failed = {name: figures for name, figures in expectations.items() if figures[0] < figures[1]}
    if failed:
        sys.exit(f"sanitiser: the control was not noticed: {failed}; unseen {unseen}; {watch.ran} {watch.asked}")
    print("control without cleaning: " + ", ".join(f"{count} {name}" for name, (count, _) in expectations.items()) + " noticed")


def publish(root, port):
    """Writes the articles and starts the program; returns it, its address and the pages."""
    content = root / "content"
    content.mkdir()
    cases = list(payloads())
    pages = []
    for number, (_, extension, text) in enumerate(cases):
        text = armed(text)
        title = "".join(c for c in text[:300] if c == "\n" or c.isprintable()).strip() or "x"
        head = f"+++\ntitle = {json.dumps(title)}\ndate = 2026-01-02\nslug = \"case-{number}\"\n+++\n"
        (content / f"case-{number}.{extension}").write_text(head + text, encoding="utf-8", errors="replace")
        pages.append(f"/2026/01/case-{number}/")
    config = root / "clarion.toml"
    config.write_text(f"""
[site]
title = "Sanitiser"
base_url = "http://127.0.0.1:{port}"
languages = ["en"]
time_zone = "UTC"
postal_address = "1-1 Example"
id_authority = "example.org,2026"
[staff]
mail = ["office@example.org"]
[content]
dir = "content"
[web]
listen = "127.0.0.1:0"
[database]
url = "sqlite:clarion.db"
[vault]
key_file = "clarion.key"
[mail]
from = "News <news@example.org>"
envelope = "bounces+{{token}}@example.org"
transport = {{ kind = "file", dir = "mail" }}
""")
    program = subprocess.Popen([PROGRAM, "--config", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in program.stdout:
        if "listening on " in line:
            address = re.search(r"(127\.0\.0\.1):(\d+)", line)
            upstream = (address.group(1), int(address.group(2)))
            break
    else:
        sys.exit("sanitiser: the program did not start: " + program.stderr.read()[-2000:])
    for stream in (program.stdout, program.stderr):
        threading.Thread(target=lambda stream=stream: [None for _ in stream], daemon=True).start()
    return program, upstream, cases, pages


def wait_until_published(upstream, pages):
    def status(page):
        connection = http.client.HTTPConnection(*upstream, timeout=30)
        connection.request("HEAD", page)
        return connection.getresponse().status

    until = time.monotonic() + 120
    while (missing := [page for page in pages if status(page) != 200]) and time.monotonic() < until:
        time.sleep(1)
    if missing:
        sys.exit(f"sanitiser: {len(missing)} articles were not published, such as {missing[:5]}")


def judge(name, cases, pages, all_pages, allowed):
    problems = [f"{page}: {bad}" for page, bads in watch.reports.items() for bad in bads]
    problems += [f"ran: {ran}" for ran in watch.ran]
    foreign = [asked for asked in watch.asked if asked[0] not in allowed]
    problems += [f"asked of others: {asked}" for asked in foreign]
    unseen = [page for page in all_pages if page not in watch.reports]
    problems += [f"never opened: {page}" for page in unseen]
    pictures = f", {len(watch.asked)} pictures asked of others" if allowed else ""
    print(f"{name}: {len(all_pages) - len(unseen)} pages opened, {len(watch.ran)} scripts ran, "
          f"{sum(map(len, watch.reports.values()))} bad elements or attributes, {len(foreign)} requests to others{pictures}")
    for problem in problems[:20]:
        number = re.search(r"case-(\d+)", problem)
        case = cases[int(number.group(1))] if number else ("", "", "")
        print(f"  {problem}\n    {case[0]}: {case[2][:300]!r}")
    return len(problems)


def main():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        sink, port = server(Sink), server(Proxy)
        control(port, sink, folder)
        program, Proxy.upstream, cases, pages = publish(root, port)
        try:
            wait_until_published(Proxy.upstream, pages)
            lists = [f"/?page={number}" for number in range(1, 4)] + ["/2026/01/"]
            failures = 0
            for name, strips, allowed in [("as it is", False, ()), ("without policy", True, ("image",))]:
                browse(pages + lists, port, sink, strips, folder)
                failures += judge(name, cases, pages, pages + lists, allowed)
        finally:
            program.terminate()
            program.wait()
        own = sum(1 for name, *_ in cases if name.startswith("own"))
        print(f"{len(cases)} texts: {own} of our own, {len(cases) - own} of feedparser")
        if failures:
            sys.exit(f"sanitiser: {failures} problems")
        print("nothing ran")


main()
