"""The small doors: redirects, SQL in parameters, headers, paths, caches and policies."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from kit.settings import ROOT
from tests.contract.kit_stand_in import Neighbours
from tests.security.matrix import FILES
from tests.security.people import People
from tests.security.routes import ROUTES, STAFF
from tests.security.scripts.payloads import payloads
from tests.security.world import World, world
from touchpoints.export import as_csv
from touchpoints.model import Recorded, Touchpoint
from widget.help.pages import MEDIA_POLICY
from widget.protection import CONTENT_SECURITY_POLICY

EVIL = "evil.example"


@pytest.fixture(scope="module")
def here(folder: Path, around: Neighbours) -> Iterator[World]:
    (folder / "articles").mkdir()
    (folder / "secret.txt").write_text("the-secret-beside-the-articles", encoding="utf-8")
    with world(folder, around) as made:
        yield made


@pytest.fixture(scope="module")
def people(here: World) -> People:
    return here.people


def page_routes() -> list[str]:
    """An address of every route that is read without a credential."""
    filled = {"<slug>": "router-red-light", **{name: value[0] for value in FILES.values() for name in ("<path:name>", "<path:filename>")}}
    found = []
    for (method, rule), routes in ROUTES.items():
        if method == "GET" and routes[0].door == "anyone":
            file = FILES.get(rule, ("",))[0]
            path = rule.replace("<path:name>", file).replace("<path:filename>", file).replace("<slug>", filled["<slug>"])
            found.append(path + routes[-1].query.replace("{words}", "router"))
    return found


REDIRECTS = [f"/{slashes}{EVIL}{end}" for slashes in ("/", "//", "\\", "%5c", "%2f", "%2f%2f", "@") for end in ("", "/", "/help", "/%2e%2e")]
REDIRECTS += [
    f"{path}{end}" for path in ("/shop", "/help", "/", "/desk") for end in (f"//{EVIL}", f"/..//{EVIL}", f"?next=//{EVIL}", f"?url=https://{EVIL}/")
]
REDIRECTS += [f"/help?next=https://{EVIL}", f"/shop?%0d%0aLocation:%20https://{EVIL}", f"/{EVIL}//..", f"/.{EVIL}", f"/;@{EVIL}"]


def test_no_redirect_leads_elsewhere(people: People) -> None:
    """Whatever the address, a redirect stays on this host."""
    redirected = 0
    for path in [*REDIRECTS, "/", "/shop", "/help/", "/desk/"]:
        answer = people.wire.ask("GET", path, None, {})
        for name, value in answer.headers:
            if name.lower() == "location":
                redirected += 1
                assert urlsplit(value).netloc in ("", f"127.0.0.1:{people.served.port}"), (path, value)
                assert not value.startswith(("//", "/\\", "\\")), (path, value)
    assert redirected >= 2


SQL = (
    "'",
    '"',
    "1;",
    "1 OR 1=1",
    "' OR '1'='1",
    "') OR ('1'='1",
    "1; DROP TABLE events--",
    "' UNION SELECT token_hash FROM sessions--",
    "1/*",
    "\\",
    "%",
    "_",
    "`",
    "$$",
)
SQL += (
    "queued' AND SLEEP(5)--",
    "bot'||(SELECT password_hash FROM staff)||'",
    "randomblob(1000000000)",
    "1 AND 1=randomblob(500000000)",
    "x'41'",
    ";PRAGMA writable_schema=1",
)
FILTERS = (
    ("administrator", "/api/touchpoints?since={}"),
    ("administrator", "/api/touchpoints?limit={}"),
    ("administrator", "/api/touchpoints?conversation={}"),
    ("administrator", "/api/touchpoints?customer={}"),
    ("administrator", "/api/touchpoints/export?since={}"),
    ("administrator", "/api/touchpoints/export?format={}"),
    ("agent", "/api/desk/conversations?owner={}"),
    ("agent", "/api/desk/conversations?mine={}"),
    ("agent", "/api/desk/conversations?sort={}"),
    ("agent", "/api/desk/conversations/{}"),
    ("agent", "/api/desk/events?after={}"),
    ("this customer", "/api/conversations/{}"),
    ("nobody", "/api/search?q={}"),
    ("nobody", "/api/search?q=a&limit={}"),
    ("nobody", "/help?q={}"),
    ("nobody", "/help/{}"),
)


@pytest.mark.parametrize(("role", "path"), FILTERS)
def test_parameters_are_values(people: People, role: str, path: str) -> None:
    """SQL in a filter, a sort order or an id finds nothing, breaks nothing, takes no time, and tells nothing of the tables."""
    people.conversation("this customer")
    for words in SQL:
        answer = people.wire.ask("GET", path.format(quote(words, safe="")), None, people.headers[role])
        assert answer.status in (200, 404, 422), (words, answer.status)
        assert answer.took_s < 5
        lowered = answer.body.lower()
        assert not any(sign in lowered for sign in (b"sqlite", b"sqlalchemy", b"operationalerror", b"$argon2id")), answer.body[:200]
        if "conversation=" in path or "customer=" in path:
            assert answer.body.startswith(b'{"touchpoints":[]'), words


FORMATTED_SQL = {
    ("touchpoints/database.py", "PRAGMA "): "the pragmas are literals of the same file",
    ("touchpoints/database.py", "PRAGMA busy_timeout="): "a whole number",
    ("knowledge_base/article_store.py", "'PRAGMA journal_mode = OFF; PRAGMA synch"): "with the schema, a constant of the same file",
    ("knowledge_base/article_store.py", "INSERT INTO articles ("): "the columns are literals of the same function",
}


def test_no_statement_is_put_together_from_strings() -> None:
    """A static look at every call that runs or makes SQL, in all packages."""
    found = [one for package in ("desk", "touchpoints", "knowledge_base", "widget", "demo") for one in formatted_statements(ROOT / package)]
    assert set(found) == set(FORMATTED_SQL)


def formatted_statements(folder: Path) -> Iterator[tuple[str, str]]:
    """File and beginning of each statement that is an f-string, a sum, a ``%`` or a ``format``."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and _name(node.func) in ("execute", "executemany", "executescript", "exec_driver_sql", "text")
                and node.args
            ):
                statement = node.args[0]
                if _is_put_together(statement):
                    yield str(path.relative_to(ROOT)), _beginning(statement)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_put_together(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return _name(node.func) in ("format", "join", "replace")
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and not _are_constants(node))


def _are_constants(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.BinOp) and _are_constants(node.left) and _are_constants(node.right))


def _beginning(node: ast.expr) -> str:
    first = node.values[0] if isinstance(node, ast.JoinedStr) else node
    return str(first.value) if isinstance(first, ast.Constant) else ast.unparse(node)[:40]


def test_a_statement_that_is_put_together_is_found(tmp_path: Path) -> None:
    """The look above can fail."""
    (tmp_path / "store.py").write_text(
        'db.execute(f"SELECT * FROM {table}")\ndb.execute("SELECT " + name)\ndb.execute("SELECT 1")\n', encoding="utf-8"
    )
    found = [node for node in ast.walk(ast.parse((tmp_path / "store.py").read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert [_is_put_together(node.args[0]) for node in found] == [True, True, False]


BREAKS = ("%0d%0aSet-Cookie:%20stolen=1", "%0aX-Evil:%201", "%0d%0a%0d%0a<script>", "%e5%98%8a%e5%98%8dX-Evil:1", "%00", "%85X-Evil:1")


def test_no_header_is_made_by_who_asks(people: People) -> None:
    """Line breaks in paths, parameters and host names stay words."""
    wanted = [f"/help/{one}" for one in BREAKS] + [f"/shop{one}" for one in BREAKS] + [f"/help?q={one}" for one in BREAKS]
    wanted += [f"/api/touchpoints/export?format=csv{one}" for one in BREAKS] + [f"/brand/logo?v={one}" for one in BREAKS]
    for path in wanted:
        answer = people.wire.ask("GET", path, None, people.headers["administrator"])
        assert answer.status in (200, 302, 404, 422), path
        assert not {name.lower() for name, _ in answer.headers} & {"x-evil", "set-cookie"}, path


CLIMBS = (
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    "..%5csecret.txt",
    "....//secret.txt",
    "media/../../secret.txt",
    "/etc/passwd",
)
CLIMBS += (
    "..%252fsecret.txt",
    "%c0%ae%c0%ae/secret.txt",
    "x/../../secret.txt",
    "../../../../../../etc/passwd",
    "%2fetc%2fpasswd",
    "..;/secret.txt",
    "secret.txt%00.png",
)
CLIMBS += (
    "../app.py",
    "../__init__.py",
    ".env",
    ".git/config",
    "../../kit/settings.py",
    "file:///etc/passwd",
    "../signing_key",
    "../touchdesk.sqlite",
    "~root/.profile",
)


@pytest.mark.parametrize(
    "base", ["/help/media/", "/help/", "/widget/", "/shop/", "/static/", "/desk/static/", "/help/static/", "/brand/", "/api/articles/"]
)
def test_no_path_leads_out(people: People, base: str) -> None:
    """Up, out, encoded twice or overlong: nothing but what is meant to be served."""
    for climb in CLIMBS:
        answer = people.wire.ask("GET", base + climb, None, {})
        assert answer.status in (302, 308, 400, 404, 405), (base + climb, answer.status)
        for secret in (b"the-secret-beside", b"root:", b"from __future__", b"SQLite format", b"[core]"):
            assert secret not in answer.body


def test_what_staff_read_is_kept_by_no_cache(people: People) -> None:
    """Every answer to somebody signed in, and the page that they sign in on."""
    paths = [
        rule + routes[0].query
        for (method, rule), routes in ROUTES.items()
        if method == "GET" and routes[0].door in ("desk", "staff", "administrator")
    ]
    checked = 0
    for role in STAFF:
        for path in [*paths, "/desk", "/api/session"]:
            headers = dict(people.wire.ask("GET", path.replace("<conversation_id>", "x"), None, people.headers[role]).headers)
            assert headers["Cache-Control"] == "no-store", path
            assert "Cookie" in [part.strip() for part in headers["Vary"].split(",")], path
            checked += 1
    assert checked >= 20


def test_every_answer_carries_the_policy(people: People) -> None:
    """On pages, files, refusals of the app and of the server before it; nothing unsafe in it, no script but files of this host, Trusted Types."""
    answers = [people.wire.ask("GET", path, None, {"Accept": "text/html"}) for path in [*page_routes(), "/no-such-page", "/api/conversations"]]
    answers.append(people.wire.ask("POST", "/api/conversations", b"x" * 70_000, {"Content-Type": "application/json"}))
    answers.append(people.wire.ask("PATCH", "/help", None, {}))
    for answer in answers:
        headers = {name.lower(): value for name, value in answer.headers}
        assert headers["content-security-policy"] in (CONTENT_SECURITY_POLICY, MEDIA_POLICY)
        assert headers["x-content-type-options"] == "nosniff"
    for policy in (CONTENT_SECURITY_POLICY, MEDIA_POLICY):
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
    directives = [part.strip() for part in CONTENT_SECURITY_POLICY.split(";")]
    assert {"script-src 'self'", "require-trusted-types-for 'script'", "trusted-types 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(
        directives
    )
    assert "sandbox" in MEDIA_POLICY


class Inline(HTMLParser):
    """Finds what a policy without ``unsafe-inline`` would have to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if (tag == "script" and "src" not in named) or tag == "style":
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name, value in attributes if name.startswith("on") or name == "style"]
        self.found += [f"{tag} {value}" for value in named.values() if value and value.strip().lower().startswith(("javascript:", "data:text"))]


def inline_in(markup: str) -> list[str]:
    parser = Inline()
    parser.feed(markup)
    return parser.found


def test_no_page_has_a_script_in_it(people: People) -> None:
    """So the policy never has to make an exception."""
    pages = 0
    for path in [*page_routes(), "/no-such-page", "/help/no-such-article"]:
        answer = people.wire.ask("GET", path, None, {"Accept": "text/html"})
        if dict(answer.headers).get("Content-Type", "").startswith("text/html"):
            pages += 1
            assert inline_in(answer.body.decode()) == [], path
    assert pages >= 6
    assert inline_in('<p onclick="x"><script>x</script><a style="x" href="javascript:x">') == ["p onclick", "script", "a style", "a javascript:x"]


def test_no_cell_of_the_export_is_a_formula() -> None:
    """Whatever an outside system or a customer wrote: as a spreadsheet reads the file, no cell begins like a formula."""
    starts = ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "  +", "\u00a0@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'=", '"=')
    texts = [f"{start}cmd|' /C calc'!A0" for start in starts] + [payload.text for payload in payloads()]
    at = datetime(2026, 11, 21, tzinfo=UTC)
    entries = [
        Recorded(
            seq=number,
            recorded_at=at,
            touchpoint=Touchpoint(
                at=at,
                kind="search",
                stage="service",
                channel="web",
                actor="customer",
                article=words,
                outcome=words,
                visitor_id=words,
                data={words: words},
            ),
        )
        for number, words in enumerate(texts, 1)
    ]
    written = "".join(as_csv([entries]))
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert len(rows) == len(texts) + 1
    for row, words in zip(rows[1:], texts, strict=True):
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")), cell
            assert not cell.startswith(("\t", "\r", "\n"))
        assert row[10].endswith(words)
