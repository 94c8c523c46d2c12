"""What the matrix is asked of: the served app over two articles, with a door that can be taken out of any route."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from tests.contract.kit_stand_in import Neighbours
from tests.security.people import INTERNAL, People
from tests.security.served import Served, served
from tests.security.shelf import article, put_on_shelf
from widget.services import Services

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Plant:
    """A fault that is put before the app: while it stands, it does to each request what a missing check would let happen."""

    spoil: Callable[[dict[str, Any]], None] | None = None

    def dress(self, app: Any, services: Services) -> Callable[..., Any]:
        """The app with the fault in front of it."""

        def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            if self.spoil is not None:
                self.spoil(environ)
            return app(environ, start_response)

        return wsgi


@dataclass
class World:
    """A served app, its people, and the fault that may be planted in it."""

    served: Served
    people: People
    plant: Plant
    around: Neighbours


@contextmanager
def world(folder: Path, around: Neighbours, **settings: Any) -> Iterator[World]:
    """Serve two articles, one of them internal, with pictures inside and outside a media folder."""
    articles = folder / "articles"
    for path in ("media/router.png", "general/secret.png"):
        (articles / path).parent.mkdir(parents=True, exist_ok=True)
        (articles / path).write_bytes(PNG)
    shelf = (
        article("router-red-light", "Router shows a red light", "Restart the router."),
        article("only-for-agents", INTERNAL, f"The key lies under the mat: {INTERNAL}.", audience="internal"),
    )
    put_on_shelf(folder / "index", shelf)
    plant = Plant()
    around.search_is_away = True  # so that the words are looked up in the articles themselves
    with served(folder, around, dress=plant.dress, articles=articles, **settings) as running:
        people = People(running)
        yield World(running, people, plant, around)
        people.close()


def without_door(here: World, method: str, rule: str) -> Callable[[dict[str, Any]], None]:
    """A fault: this route asks nobody for a credential. Whoever comes is taken for this customer and for an administrator."""
    rules = here.served.app.url_map.bind("localhost")
    session = here.people.another_session("another administrator")  # whose others may end
    opened = {"HTTP_AUTHORIZATION": here.people.headers["this customer"]["Authorization"]}
    opened |= {"HTTP_COOKIE": session["Cookie"], "HTTP_X_CSRF_TOKEN": session["X-CSRF-Token"]}

    def spoil(environ: dict[str, Any]) -> None:
        if environ["REQUEST_METHOD"] == method and _rule_of(rules, environ) == rule:
            environ.update(opened)
            if rule.startswith("/api/touchpoints"):
                environ.pop("HTTP_AUTHORIZATION")  # there it would be an API key

    return spoil


def _rule_of(rules: MapAdapter, environ: Mapping[str, Any]) -> str | None:
    try:
        return rules.match(environ["PATH_INFO"], method=environ["REQUEST_METHOD"], return_rule=True)[0].rule
    except HTTPException:
        return None


def elsewhere(path_ends: str, path: str) -> Callable[[dict[str, Any]], None]:
    """A fault: calls to addresses of this end are answered as if another had been asked for."""

    def spoil(environ: dict[str, Any]) -> None:
        if environ["PATH_INFO"].endswith(path_ends):
            environ["PATH_INFO"] = path

    return spoil
