"""A real Chromium that counts: calls of the payloads, dialogs, scripts fetched from a trap, and what the policy kept from running."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from kit.tools import CHROMIUM, find
from tests.whole.browsers import ARGUMENTS

from .payloads import taken_apart
from .sinks import SINKS

PATIENCE_MS = 90_000
PROVOKE_MS = 20_000
"""A download that is read as a page has hundreds of thousands of elements."""
HANGS_S = 60.0
"""A renderer that says nothing for so long after it was asked is ended: a call into a page has no time limit of its own."""
SETTLE_MS = 60
"""How long a page goes on after all was done to it: errors of pictures and animations come late."""
NOT_THERE = ("*/help/x", "*/shop/x", "http://127.0.0.1:*ran(*")
"""What payloads' pictures ask the kit for: that it is not there need not be asked a thousand times. Pages are asked for in ``%28``.

A pattern matches wherever it begins to: ``*/x`` would block every conversation whose id begins with an x.
"""
WATCH = """
addEventListener('securitypolicyviolation', (event) => blocked(event.effectiveDirective), true);
"""
PROVOKE = """
(most_ms) => {
  const all = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll('*')) {
      all.push(element);
      if (element.shadowRoot) visit(element.shadowRoot);
      if (element.localName === 'template') visit(element.content);
    }
  };
  visit(document);
  addEventListener('click', (event) => {
    const link = event.composedPath().find((one) => one.href !== undefined);
    if (link && !/^javascript:/i.test(link.protocol ?? '')) event.preventDefault();
  }, true);
  addEventListener('submit', (event) => {
    const action = event.submitter?.formAction ?? event.target.action;
    if (!/^javascript:/i.test(action)) event.preventDefault();
  }, true);
  const began = performance.now();
  let done = 0;
  for (const element of all) {
    if (performance.now() - began > most_ms) break;
    done += 1;
    for (const { name } of element.attributes) {
      if (name.startsWith('on')) element.dispatchEvent(new Event(name.slice(2), { bubbles: false }));
    }
    if (/^javascript:/i.test(element.protocol ?? '') || /^\\s*j/i.test(element.getAttribute('xlink:href') ?? element.getAttribute('href') ?? '')) {
      element.removeAttribute('target');
      element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, composed: true }));
    }
    const submits = element.localName === 'button' || element.type === 'submit';
    if (submits && element.form && /^javascript:/i.test(element.formAction || element.form.action)) element.form.requestSubmit(element);
  }
  return done;
}
"""
"""Does to a page what a reader could: every handler is called, every link of a script and every form with one is used."""

FETCHED = """
() => ({
  at: Math.round(performance.now()),
  calls: performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/')).slice(-20)
    .map((one) => [one.name, Math.round(one.startTime), Math.round(one.duration), one.responseStatus]),
})
"""


class Trap(ThreadingHTTPServer):
    """Another site, whose scripts call with the number in their address."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Script)


class _Script(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = f"ran({''.join(filter(str.isdigit, self.path)) or 0})".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""


class Reader:
    """A browser's profile, and what ran in it."""

    def __init__(self, context: BrowserContext) -> None:
        self.ran: Counter[str] = Counter()
        self.ran_on: Counter[str] = Counter()
        self.payloads: set[tuple[str, int]] = set()
        self.blocked: Counter[str] = Counter()
        self.pages = 0
        self.elements = 0
        self.context = context
        self._processes = context.browser.new_browser_cdp_session()
        self.sink = ""
        context.set_default_timeout(PATIENCE_MS)
        context.expose_binding("ran", lambda source, number: self._note(number))
        context.expose_binding("blocked", lambda source, directive: self.blocked.update([directive]))
        context.add_init_script(WATCH)
        self._left_out = list(NOT_THERE)
        self.page = self._new_page()

    def without_chat(self, left_out: bool) -> None:
        """Whether pages go without the chat's twenty files; where its words are not looked at that saves most of the time."""
        self._left_out = [*NOT_THERE, *(["*/widget/*"] if left_out else [])]
        self._leave_out()

    def _leave_out(self) -> None:
        self._network.send("Network.setBlockedURLs", {"urls": self._left_out})

    def _note(self, number: Any) -> None:
        sink, payload = taken_apart(int(number)) if isinstance(number, int | float) else (0, 0)
        name = SINKS[sink - 1] if 0 < sink <= len(SINKS) else self.sink
        self.ran[name] += 1
        self.ran_on[self.sink] += 1
        self.payloads.add((name, payload))

    def _dialog(self, dialog: Dialog) -> None:
        self.ran[self.sink] += 1
        dialog.dismiss()

    def _new_page(self) -> Page:
        page = self.context.new_page()
        page.on("dialog", self._dialog)
        self._network = self.context.new_cdp_session(page)  # one a page: each session has a list of its own
        self._network.send("Network.enable")
        self._leave_out()
        return page

    def reads(self, url: str, sink: str, until: str | None = None) -> None:
        """Open a page, wait until it shows a text where it must, do to it whatever a reader could, and let it settle."""
        self.sink = sink
        self.pages += 1
        try:
            self.page.goto(url, wait_until="load")
            if until:
                self.page.get_by_text(until).last.wait_for(state="attached", timeout=PATIENCE_MS if self._must_show else 2000)
            with self._ended_if_it_hangs():
                self.elements += self.page.evaluate(PROVOKE, PROVOKE_MS)
            self.page.wait_for_timeout(SETTLE_MS)
        except BrowserError as failure:
            if self._must_show:
                raise AssertionError(f"{url} does not show what it must; it has fetched {self._fetched()}") from failure
            self._starts_again()
        for extra in self.context.pages:
            if extra is not self.page:
                extra.close()

    def downloads(self, url: str, sink: str) -> None:
        """Open an address that is a file to keep, not a page; where it comes as a page it is read as one."""
        must_show, self._must_show = self._must_show, False
        self.reads(url, sink)
        self._must_show = must_show

    _must_show = True

    def forgiving(self) -> Reader:
        """With the sanitiser off a page may break under its payloads; that is not what is counted."""
        self._must_show = False
        return self

    def _fetched(self) -> Any:
        """What the page has asked the kit for, when and with what answer: the last twenty calls that are no files."""
        return self.page.evaluate(FETCHED)

    @contextmanager
    def _ended_if_it_hangs(self) -> Iterator[None]:
        """A page whose renderer is ended breaks, and what waits for it goes on with a failure."""
        processes = self._processes.send("SystemInfo.getProcessInfo")["processInfo"]
        renderers = [int(process["id"]) for process in processes if process["type"] == "renderer"]
        ending = threading.Timer(HANGS_S, _end, [renderers])
        ending.start()
        try:
            yield
        finally:
            ending.cancel()

    def _starts_again(self) -> None:
        old, self.page = self.page, self._new_page()
        old.close()

    def settles(self) -> None:
        """Leave the last page; what was still to be told of it comes in."""
        self.page.goto("about:blank")
        self.page.wait_for_timeout(100)


def _end(processes: list[int]) -> None:
    for number in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


@contextmanager
def counting_chromium() -> Iterator[Browser]:
    """The Chromium of this machine; the trap's name leads to the trap, all others nowhere."""
    with Trap() as trap:
        threading.Thread(target=trap.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        rule = f"--host-resolver-rules=MAP trap.example 127.0.0.1:{trap.server_address[1]},MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(find(CHROMIUM)), args=[*ARGUMENTS, rule])
            try:
                yield browser
            finally:
                browser.close()
                trap.shutdown()
