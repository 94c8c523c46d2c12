"""The app with payloads in every sink, in one of three dresses: as it sanitises, with its sanitising taken out, and with nothing left at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from tests.contract.kit_stand_in import Neighbours
from tests.security.served import Served, served
from tests.security.shelf import put_on_shelf, unsanitised
from widget.services import Services

from .library import written
from .talk import SECRET


@dataclass(frozen=True)
class Dress:
    """What of the two defences stands: sanitising (and escaping, and building nodes instead of markup), and the content security policy."""

    name: str
    sanitised: bool
    policy: bool


SANITISER_ALONE = Dress("sanitiser on, policy off", sanitised=True, policy=False)
POLICY_ALONE = Dress("sanitiser off, policy on", sanitised=False, policy=True)
NEITHER = Dress("both off", sanitised=False, policy=False)
AS_SHIPPED = Dress("both on", sanitised=True, policy=True)

RAW = "(parent, words) => { try { parent.insertAdjacentHTML('beforeend', words); } catch { parent.append(words); } }"
"""Inserts words as markup; where the policy forbids that they stand as text, so that the page goes on."""
_EACH = "for (const child of {}) typeof child === 'string' ? raw(element, child) : element.append(child);"
_CHAT_BUILD = "    for (const child of children) if (child) element.append(child);"
_CHAT_RAW = f"    const raw = {RAW};\n    {_EACH.format('children.filter(Boolean)')}"
_CHAT_URL = "export function safeUrl(address, kit) {\n"
_DESK_BUILD = "  element.append(...present(children));"
_DESK_RAW = f"  const raw = {RAW};\n  {_EACH.format('present(children)')}"
_DESK_URL = '  if (typeof address !== "string") return null;\n'
WEAKENED: dict[str, tuple[tuple[str, str], ...]] = {
    "/widget/build.js": ((_CHAT_BUILD, _CHAT_RAW),),
    "/widget/safe-url.js": ((_CHAT_URL, f"{_CHAT_URL}  return String(address);\n"),),
    "/desk/static/desk-nodes.js": (
        (_DESK_BUILD, _DESK_RAW),
        ("document.createTextNode(String(node.text))", "String(node.text)"),
        (_DESK_URL, "  return String(address);\n"),
    ),
}
"""The scripts that build what is shown, each with what it does for safety undone: old words and new."""
AS_PAGES = ("/api/touchpoints", "/api/desk/conversations")
"""Answers that are no pages; without their media type a browser would take them for some."""


@dataclass
class Stage:
    """A served app full of payloads."""

    served: Served
    dress: Dress
    brand: Path


@contextmanager
def stage(folder: Path, around: Neighbours, dress: Dress, batches: Sequence[Any]) -> Iterator[Stage]:
    """Serve the app over articles made of the batches."""
    put_on_shelf(folder / "index", written(batches), *(() if dress.sanitised else (unsanitised,)))
    brand = folder / "brand.yml"
    brand.write_text("name: Shop\n", encoding="utf-8")
    with served(folder, around, dress=_dressed(dress), brand=brand, identity_secret=SECRET) as running:
        yield Stage(running, dress, brand)


def _dressed(dress: Dress) -> Callable[[Any, Services], Callable[..., Any]]:
    def put_on(app: Any, services: Services) -> Callable[..., Any]:
        if not dress.sanitised:
            app.jinja_env.autoescape = False

        def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            if dress.sanitised and dress.policy:
                return app(environ, start_response)
            environ.pop("HTTP_IF_NONE_MATCH", None)
            environ.pop("HTTP_IF_MODIFIED_SINCE", None)
            if environ.get("HTTP_ACCEPT", "").startswith("text/event-stream"):
                return app(environ, start_response)
            return _undressed(dress, environ["PATH_INFO"], Response.from_app(app, environ, buffered=True))(environ, start_response)

        return wsgi

    return put_on


def _undressed(dress: Dress, path: str, response: Response) -> Response:
    """An answer without what the dress leaves out."""
    if not dress.policy:
        for name in ("Content-Security-Policy", "X-Content-Type-Options"):
            response.headers.pop(name, None)
    if dress.sanitised:
        return response
    if path.startswith(AS_PAGES) and response.status_code == 200 and response.mimetype != "text/event-stream":
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        response.headers.pop("Content-Disposition", None)
    for old, new in WEAKENED.get(path, ()):
        source = response.get_data(as_text=True)
        assert old in source, f"{path} no longer says {old!r}: see how it builds now, and undo that"
        response.set_data(source.replace(old, new))
    return response
