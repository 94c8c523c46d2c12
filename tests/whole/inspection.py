"""What is wrong with a page as it stands: found by axe, said by the browser's console, reported by the page's policy, or wider than its window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from tests.whole.states import State

STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
ABOUT_COLOUR = ("color-contrast", "link-in-text-block")
"""What can differ between light and dark; all else is looked at once."""
SCHEME_TAKES_MS = 100
MOTIONS = """() => [document, ...[...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean)]
  .flatMap((root) => root.getAnimations()).filter((motion) => motion.playState === "running")"""
"""Script: what moves, in the page and in the elements on it."""
_STILL = f"""() => Promise.allSettled(({MOTIONS})()
  .filter((motion) => motion.effect.getTiming().iterations !== Infinity).map((motion) => motion.finished)).then(() => true)"""

_AXE = "options => axe.run(document, options).then(found => found.violations)"
_REPORTS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} forbids ${event.blockedURI || event.sample}`));
"""
_TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > room + 1);
  const names = wide.slice(0, 5).map((element) => element.tagName + "." + element.className);
  return [`${document.documentElement.scrollWidth} px in a window of ${room}: ${names}`];
}"""


@dataclass
class Console:
    """The errors that pages of a context have written and nobody has asked for yet."""

    errors: list[str] = field(default_factory=list)

    def heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def taken(self, state: State) -> list[str]:
        """The errors since the last time, without those that belong to the state."""
        heard, self.errors = self.errors, []
        return [words for words in heard if not state.noise.search(words)]


@contextmanager
def listening(*contexts: BrowserContext) -> Iterator[Console]:
    """Hear the console of every page of these contexts, with the reports of their policies."""
    console = Console()
    for context in contexts:
        context.add_init_script(_REPORTS)
        context.on("console", console.heard)
        context.on("weberror", lambda error: console.errors.append(str(error.error)))
    yield console


def faults(state: State) -> list[str]:
    """What axe finds in light and in dark, and whether something is wider than the window."""
    found = _seen_by_axe(state.page, "light", {"runOnly": {"type": "tag", "values": STANDARDS}})
    found += _seen_by_axe(state.page, "dark", {"runOnly": {"type": "rule", "values": ABOUT_COLOUR}})
    return [f"{state.name}: {words}" for words in found + too_wide(state.page)]


def too_wide(page: Page) -> list[str]:
    """How wide the page is, and because of what, where that is more than its window has."""
    told: list[str] = page.evaluate(_TOO_WIDE)
    return told


def _seen_by_axe(page: Page, scheme: Any, options: dict[str, Any]) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(SCHEME_TAKES_MS)
    page.evaluate(_STILL)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate(_AXE, {**options, "resultTypes": ["violations"]})
    return [f"{scheme}: {_told(violation)}" for violation in violations]


def _told(violation: dict[str, Any]) -> str:
    places = "; ".join(f"{node['target']} ({node['any'][0]['message'] if node['any'] else node['html'][:120]})" for node in violation["nodes"][:4])
    return f"{violation['id']}: {violation['help']}: {places}"
