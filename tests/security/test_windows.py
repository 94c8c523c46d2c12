"""What other windows say to the widget, and what they hear."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.ports import free_ports
from kit.settings import ROOT
from tests.contract.kit_stand_in import Neighbours
from tests.security.world import World, world
from tests.whole.browsers import chromium


@pytest.fixture(scope="module")
def shop_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="module")
def here(folder: Path, around: Neighbours, shop_port: int) -> Iterator[World]:
    with world(folder, around, sites=(f"http://127.0.0.1:{shop_port}",)) as made:
        yield made


SHOUTS = """
<script>
  window.heard = [];
  addEventListener('message', (event) => heard.push(JSON.stringify(event.data)));
  const say = (target) => {
    for (const data of [
      {kind: 'moved'}, {kind: 'hello', conversation: 'x'}, {kind: 'frame', conversation: 'x', frame: {event: 'event', data: '{}'}},
      {type: 'open'}, {type: 'token'}, {type: 'identify', identity: 'x'}, 'open', 'support-chat:open', {action: 'send', text: 'sent by a stranger'},
      {type: 'navigate', url: 'javascript:alert(1)'}, null, 1, {method: 'eval', code: 'document.title = "taken"'},
    ]) target.postMessage(data, '*');
  };
  let rounds = 0;
  const shout = setInterval(() => {
    say(parent); say(top);
    for (let n = 0; n < top.length; n += 1) say(top[n]);
    if (++rounds === 20) clearInterval(shout);
  }, 250);
</script>
"""
HOST = '<!doctype html><title>Shop</title><script type="module" src="{kit}/widget/support-chat.js"></script><support-chat></support-chat>'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, here: World, shop_port: int) -> Iterator[str]:
    """A company's site with the widget, and beside it frames and pages of somebody hostile."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "hostile.html").write_text(SHOUTS, encoding="utf-8")
    (folder / "index.html").write_text(HOST.format(kit=here.served.url) + '<iframe src="hostile.html"></iframe>', encoding="utf-8")
    frames = "".join(f'<iframe src="{here.served.url}{path}"></iframe>' for path in ("/help", "/desk", "/shop/", "/help/router-red-light"))
    (folder / "parent.html").write_text(SHOUTS + frames, encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", shop_port), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{shop_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""


@pytest.mark.timeout(600)
def test_other_windows_say_nothing_to_the_widget_and_hear_nothing(shop: str, here: World) -> None:
    """A hostile frame in the company's page and a hostile page around the kit's: no message acted on, none sent, no page in a frame."""
    with chromium() as browser:
        page = browser.new_page()
        calls: list[str] = []
        page.on("request", lambda request: calls.append(f"{request.method} {request.url}"))
        page.goto(f"{shop}/index.html")
        page.wait_for_timeout(1000)
        assert page.title() == "Shop"
        assert not page.evaluate("document.querySelector('support-chat').hasAttribute('open')")
        assert [call for call in calls if call.startswith("POST")] == []
        page.get_by_role("button", name="Help and chat").click()
        field = page.get_by_role("dialog").get_by_role("textbox", name="Your message")
        field.fill("hello, my secret is canary-one")
        field.press("Enter")
        page.get_by_role("dialog").get_by_text("canary-one").first.wait_for()
        page.wait_for_timeout(500)
        (hostile,) = [frame for frame in page.frames if frame.url.endswith("hostile.html")]
        heard = set(hostile.evaluate("heard"))
        assert not any("canary" in words or "token" in words.replace('{"type":"token"}', "") for words in heard)
        assert sum(call.startswith("POST") and "/messages" in call for call in calls) == 1
        page.goto(f"{shop}/parent.html")
        page.wait_for_timeout(1000)
        shown = [frame.evaluate("document.body ? document.body.innerText : ''") for frame in page.frames[1:]]
        assert len(shown) == 4
        assert not any("Help centre" in words or "Sign in" in words or "Router" in words for words in shown)


FORBIDDEN_IN_SCRIPTS = (
    *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", 'setTimeout("', "srcdoc"),
    *("onmessage", "window.opener", "parent.postMessage", "top.postMessage", "window.postMessage", "document.domain"),
)


def test_scripts_listen_to_no_window() -> None:
    """Tabs of one browser speak over a channel of their own origin; nothing listens to windows, posts to any, or makes elements of markup."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "widget").rglob("*.js"))}
    assert len(sources) > 30
    assert [(name, sign) for name, source in sources.items() for sign in FORBIDDEN_IN_SCRIPTS if sign in source] == []
    assert [name for name, source in sources.items() if re.search(r"postMessage|addEventListener\(.message", source)] == ["chat-tabs.js"]
