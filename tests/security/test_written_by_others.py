"""hypothesis: whatever editors write into articles and outside systems into touchpoints is read, refused in words, and never breaks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from knowledge_base.front_matter import FIELDS, read_article
from knowledge_base.nodes import to_nodes
from knowledge_base.rendering import ATTRIBUTES, SCHEMES, TAGS, render
from tests.security.scripts.payloads import payloads
from touchpoints.exceptions import TouchpointInvalid
from touchpoints.export import as_csv, as_jsonl, as_xes
from touchpoints.intake import read_touchpoint
from touchpoints.model import ACTORS, CHANNELS, KINDS, STAGES, Recorded, Touchpoint

AT = datetime(2026, 11, 21, tzinfo=UTC)
RELAXED = settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

words = some.text(max_size=80)
yaml_values = some.recursive(
    some.one_of(words, some.integers(), some.floats(), some.booleans(), some.none(), some.dates(), some.binary(max_size=20)),
    lambda inner: some.one_of(some.lists(inner, max_size=4), some.dictionaries(some.one_of(words, some.integers()), inner, max_size=4)),
    max_leaves=12,
)
fields = some.dictionaries(some.one_of(some.sampled_from(sorted(FIELDS)), words), yaml_values, max_size=8)
odd_yaml = some.sampled_from(
    [
        "&a [*a]",
        "!!python/object/apply:os.system ['true']",
        "!!binary |\n  x",
        "? [a]\n: b",
        "a: b: c",
        "<<: *x",
        "%YAML 9.9",
        "\ttitle: x",
        "- " * 60,
        "{" * 60,
    ]
)
signs = "#*_`[]()<>!|-=+.~\\&;:/\"' \n\t"
markdown = some.one_of(
    some.text(alphabet=some.one_of(some.sampled_from(signs), some.characters()), max_size=600),
    some.lists(some.sampled_from([payload.text for payload in payloads()]), max_size=8).map("\n\n".join),
    some.tuples(some.sampled_from(["[", "![", "*", "`", "> ", "- ", "<", "| ", "\\", "&#", "**_", "](", "<!--"]), some.integers(1, 2000)).map(
        lambda pair: pair[0] * pair[1]
    ),
)


@given(
    front=some.one_of(fields.map(lambda given: yaml.dump(given, allow_unicode=True)), odd_yaml, words),
    body=words,
    ends=some.sampled_from(["\n", "\r\n", "\r"]),
)
@RELAXED
def test_any_front_matter_is_read_or_refused_with_its_line(front: str, body: str, ends: str) -> None:
    """An article or problems that name file and line; nothing is constructed, nothing is raised."""
    text = ends.join(["---", *front.split("\n"), "---", body])
    article, problems = read_article(text, path="network/x.md", slug="x", category="network", modified=AT)
    lines = len(text.splitlines()) + 2
    assert article is not None or problems
    assert all(problem.path == "network/x.md" and 0 < problem.line <= lines and problem.reason for problem in problems)
    if article is not None:
        repr(article).encode("utf-8", "backslashreplace")


class Allowed(HTMLParser):
    """Notes what of a page is not on the sanitiser's lists."""

    def __init__(self) -> None:
        super().__init__()
        self.other: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.other.append(tag)
        for name, value in attributes:
            if name not in ATTRIBUTES.get(tag, set()) | {"rel"}:
                self.other.append(f"{tag} {name}")
            scheme, colon, _ = (value or "").partition(":")
            if name in ("href", "src", "poster") and colon and scheme.isalpha() and scheme.lower() not in SCHEMES:
                self.other.append(f"{tag} {name} {scheme}")


@given(written=markdown)
@RELAXED
def test_any_markdown_becomes_a_page_of_allowed_elements(written: str) -> None:
    """Sanitised HTML, nodes from the closed list with safe addresses, and sections that can be stored."""
    page = render(written, "network")
    parser = Allowed()
    parser.feed(page.html)
    assert parser.other == []
    for section in page.sections:
        nodes = to_nodes(section.tokens, "/help/x")
        json.dumps(nodes)
        assert {scheme for node in _all(nodes) for scheme in _schemes(node)} <= {"http", "https", "mailto", "tel", ""}
    assert len({heading.anchor for heading in page.headings}) == len(page.headings)


def _all(nodes: Any) -> list[dict[str, Any]]:
    return [found for node in nodes for found in (node, *_all(node.get("children", ())))]


def _schemes(node: dict[str, Any]) -> list[str]:
    addresses = [str(node[name]) for name in ("href", "src") if name in node]
    return [address.partition(":")[0].lower() if ":" in address.partition("/")[0] else "" for address in addresses]


def test_what_is_not_allowed_is_noted() -> None:
    """The look at pages above can fail."""
    parser = Allowed()
    parser.feed('<script>x</script><p onclick="x"><a href="javascript:x">x</a>')
    assert parser.other == ["script", "p onclick", "a href javascript"]


json_values = some.recursive(
    some.one_of(words, some.integers(), some.floats(), some.booleans(), some.none()),
    lambda inner: some.one_of(some.lists(inner, max_size=4), some.dictionaries(words, inner, max_size=4)),
    max_leaves=10,
)
nearly = some.fixed_dictionaries(
    {
        "id": some.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True) | json_values,
        "customer": some.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True) | json_values,
        "kind": some.sampled_from(KINDS) | json_values,
        "stage": some.sampled_from(STAGES) | json_values,
        "channel": some.sampled_from(CHANNELS) | json_values,
        "at": some.datetimes(timezones=some.just(UTC)).map(datetime.isoformat) | json_values,
    },
    optional={
        "actor": some.sampled_from(ACTORS) | json_values,
        "data": some.dictionaries(words, json_values, max_size=3),
        **dict.fromkeys(("article", "outcome", "confidence", "emotion", "latency_ms"), json_values),
    },
)


@given(given_=some.one_of(nearly, json_values))
@RELAXED
def test_any_touchpoint_is_taken_or_refused_and_what_is_taken_can_be_exported(given_: Any) -> None:
    """Never another exception; what passes is written as CSV, JSON and XML again."""
    touchpoint = _taken(given_)
    if touchpoint is None:
        return
    recorded = [[Recorded(seq=1, recorded_at=AT, touchpoint=touchpoint)]]
    written = ["".join(form(recorded)) for form in (as_csv, as_jsonl, as_xes)]
    json.loads(written[1])
    for text in written:
        text.encode("utf-8")


def _taken(given_: Any) -> Touchpoint | None:
    try:
        return read_touchpoint(given_)
    except TouchpointInvalid:
        return None
