"""Payloads: known vectors × what they break out of × spellings, and addresses × spellings of their scheme. Each says who it is when it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

KNOWN = Path(__file__).with_name("known_vectors.txt")
CALL = "ran({number})"

BREAKS = (
    "{}",
    '">{}',
    "'>{}",
    "</title>{}",
    "</textarea>{}",
    "</script>{}",
    "</style>{}",
    "-->{}",
    "]]>{}",
    "**{}**",
    "> {}",
    "- {}",
    "| a |\n| - |\n| {} |",
    "[{}](https://shop.example)",
    "![{}](media/x.png)",
    "`{}",
    "<p>{}",
    "<details open><summary>{}",
)
"""Out of what a vector is put: attributes, elements that hold raw text, comments, and Markdown's own forms."""

SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda vector: vector.replace(" ", "\n", 1),
    lambda vector: vector.replace(" ", "/", 1),
    lambda vector: vector.replace(" ", "\t\f", 1),
    lambda vector: vector.replace("<", "<\u200b", 1),
    lambda vector: vector.removesuffix(">"),
    escape,
    lambda vector: escape(escape(vector)),
    lambda vector: vector.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda vector: vector.replace("<", "%3C").replace(">", "%3E"),
    lambda vector: vector.replace("<", "\\u003c").replace(">", "\\u003e"),
    lambda vector: vector.replace("<", "&lt").replace(">", "&gt"),
    lambda vector: vector.replace("<", "\\<"),
)

ADDRESSES = (
    "javascript:{js}",
    "JAVASCRIPT:{js}",
    "JavaScript:void({js})",
    " javascript:{js}",
    "\u0001javascript:{js}",
    "java\tscript:{js}",
    "java\nscript:{js}",
    "javascript\t:{js}",
    "javascript&colon;{js}",
    "&#106;avascript:{js}",
    "&#x6A&#x61&#x76&#x61script:{js}",
    "javascript:%72an({n})",
    "javascript://shop.example/%0a{js}",
    "javascript:/*--></title></style></textarea></script>*/{js}",
    "data:text/html,<script>{js}</script>",
    "data:text/html;base64,PHNjcmlwdD5yYW4oMSk8L3NjcmlwdD4=",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{js}'/>",
    "vbscript:{js}",
    "view-source:javascript:{js}",
    "blob:https://shop.example/{n}",
    "filesystem:javascript:{js}",
    "feed:javascript:{js}",
    "jar:javascript:{js}!/",
    'https://shop.example/" onmouseover="{js}',
    "https://shop.example/' onmouseover='{js}' x='",
    "https://shop.example/><img src=x onerror={js}>",
    "//trap.example/{n}.js",
    '/help/x" onfocus="{js}" autofocus x="',
)
LINKS = ("{}", "[go]({})", "[go](<{}>)", "<{}>", "[go][1]\n\n[1]: <{}>", "![picture](<{}>)", '<a href="{}">go</a>', "<a href='{}'>go</a>")
"""How an address gets into a text: bare, in Markdown's ways, and in HTML."""

TEMPLATES = ("{{ {js} }}", "${{js}}", "#{{js}}", "<%= {js} %>", "{{constructor.constructor('{js}')()}}", "';{js}//", '";{js}//', "`;${{js}}")
"""What template engines and scripts that glue strings would run."""


@dataclass(frozen=True)
class Payload:
    """A text with a place for the call. ``is_address`` says that the whole of it is one."""

    number: int
    text: str
    is_address: bool = False

    def at(self, sink: int) -> str:
        """The payload as it is put into a sink: the number it calls with tells which payload ran where."""
        call = number_of(sink, self.number)
        return self.text.replace("{js}", CALL.format(number=call)).replace("{n}", str(call))


MOST_PAYLOADS = 100_000


def number_of(sink: int, payload: int) -> int:
    """What a payload calls with: its sink and its own number."""
    return sink * MOST_PAYLOADS + payload


def taken_apart(number: int) -> tuple[int, int]:
    """Sink and payload of a call."""
    return divmod(number, MOST_PAYLOADS)


@cache
def payloads() -> tuple[Payload, ...]:
    """All of them, always in the same order."""
    texts = dict.fromkeys(_texts())
    addresses = dict.fromkeys(ADDRESSES)
    return tuple(Payload(number, text, text in addresses) for number, text in enumerate({**addresses, **texts}, 1))


def _texts() -> Iterator[str]:
    vectors = known_vectors()
    yield from vectors
    # Each vector in some of the places and spellings, in turn, so that every pair of neighbours comes up and the count stays in hand.
    for index, vector in enumerate(vectors):
        yield from (BREAKS[(index + step) % len(BREAKS)].format(vector) for step in range(0, len(BREAKS), 3))
        yield from (SPELLINGS[(index + step) % len(SPELLINGS)](vector) for step in range(0, len(SPELLINGS), 4))
    for address in ADDRESSES:
        yield from (link.format(address) for link in LINKS)
    yield from TEMPLATES


def known_vectors() -> list[str]:
    """The lines of the file."""
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ")]
