"""One file's text into an `Article`, or into the problems that keep it from being one.

Front matter is YAML, but only its shape is taken from YAML: every value is read as the text that stands in the file, so
``title: 1.10`` and ``title: No`` mean what they look like, and no tag ever constructs anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timezone
from typing import Any

import yaml

from .model import AUDIENCES, KINDS, STAGES, STATUSES, Article, Problem

MAX_FRONT_MATTER = 65_536
MAX_QUESTIONS = 500
MAX_QUESTION = 500
MAX_TITLE = 200
MAX_ANSWER_WORDS = 60
# PyYAML takes 20 µs a value; 500 questions and every field stay far below. libyaml would be quicker, but deep nesting crashes it.
MAX_VALUES = 1_200
MAX_DEPTH = 4
# Opening brackets in a row cost PyYAML a second before their depth is seen.
DEEP = re.compile(r"(?:[\[{][\s\[{]*){9}")
# What one file may say of itself; a broken one could fill a report alone.
MAX_PROBLEMS = 20
FIELDS = {
    "title",
    "answer",
    "kind",
    "questions",
    "category",
    "stage",
    "audience",
    "status",
    "owner",
    "review_by",
    "checked",
    "updated",
    "related",
    "lang",
}
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
HALF_PAIR = re.compile("[\ud800-\udfff]")


class _TooMuch(Exception):
    """Front matter of more values, or deeper, than any article needs; ``line`` counts from 0."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class _Loader(yaml.SafeLoader):
    """Gives up where the values are too many or too deep."""

    values = 0
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.values += 1
        self.depth += 1
        if self.values > MAX_VALUES:
            raise _TooMuch(self.line, f"more than {MAX_VALUES} values")
        if self.depth > MAX_DEPTH:
            raise _TooMuch(self.line, "nested too deeply")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


@dataclass
class _Sheet:
    """The fields of one file with their lines, and the problems found so far; ``refused`` once one of them is fatal."""

    path: str
    nodes: dict[str, yaml.Node] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: bool = False

    def line(self, name: str) -> int:
        # The opening --- is line 1, and the YAML begins on line 2, which its parser calls 0.
        return self.nodes[name].start_mark.line + 2 if name in self.nodes else 1

    def refuse(self, line: int, reason: str) -> None:
        self.refused = True
        self.warn(line, reason)

    def warn(self, line: int, reason: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.path, line, reason))
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append(Problem(self.path, line, "and more of the kind, which are not listed"))


def read_article(text: str, *, path: str, slug: str, category: str, modified: datetime) -> tuple[Article | None, list[Problem]]:
    """The article in ``text``, or None, and what is wrong. Some problems (an unknown field, a long answer) leave it live.

    ``category`` holds where the file names none, ``modified`` (UTC) where it says no ``updated``.
    """
    sheet = _Sheet(path)
    front, markdown, body_line = _split(sheet, text)
    if not sheet.refused:
        _read_fields(sheet, front)
    if sheet.refused:
        return None, sheet.problems
    article = Article(
        slug=slug,
        path=path,
        title=_title(sheet),
        markdown=markdown,
        updated=_moment(sheet, "updated", modified),
        answer=_answer(sheet),
        kind=_one_of(sheet, "kind", KINDS, "faq"),
        questions=_questions(sheet),
        category=_category(sheet, category),
        stage=_one_of(sheet, "stage", STAGES, "service"),
        audience=_one_of(sheet, "audience", AUDIENCES, "public"),
        status=_one_of(sheet, "status", STATUSES, "published"),
        owner=_text(sheet, "owner"),
        review_by=_date(sheet, "review_by"),
        checked=_date(sheet, "checked"),
        related=_related(sheet),
        lang=_text(sheet, "lang") or "en",
        body_line=body_line,
    )
    return (None if sheet.refused else article), sheet.problems


def _split(sheet: _Sheet, text: str) -> tuple[str, str, int]:
    """The YAML, the Markdown and the line on which the Markdown begins."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        sheet.refuse(1, "there is no front matter, so no title: the file must begin with a line ---")
        return "", "", 1
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() in ("---", "..."):
            front = "\n".join(lines[1:number])
            if len(front) > MAX_FRONT_MATTER:
                sheet.refuse(1, f"the front matter is longer than {MAX_FRONT_MATTER} characters")
            return front, "\n".join(lines[number + 1 :]), number + 2
    sheet.refuse(1, "the front matter is not closed by a line ---")
    return "", "", 1


def _read_fields(sheet: _Sheet, front: str) -> None:
    try:
        if found := DEEP.search(front):
            raise _TooMuch(front.count("\n", 0, found.start()), "nested too deeply")
        root: Any = yaml.compose(front, Loader=_Loader)
    except yaml.MarkedYAMLError as cause:
        line = cause.problem_mark.line + 2 if cause.problem_mark else 1
        return sheet.refuse(line, f"broken front matter: {cause.problem or cause.context}")
    except yaml.YAMLError:
        return sheet.refuse(1, "broken front matter: it holds a character that YAML does not allow")
    except _TooMuch as cause:
        return sheet.refuse(cause.line + 2, f"broken front matter: {cause.reason}")
    if not isinstance(root, yaml.MappingNode):
        return sheet.refuse(2, "broken front matter: wanted lines of the form name: value")
    for key, value in root.value:
        line = key.start_mark.line + 2
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name in sheet.nodes:
            sheet.refuse(line, f"the field {name!r} stands there twice")
        elif name not in FIELDS:
            sheet.warn(line, f"unknown field {name[:40]!r}")
        else:
            sheet.nodes[name] = value
            _refuse_odd(sheet, value)


def _refuse_odd(sheet: _Sheet, node: yaml.Node) -> None:
    """Tags, and halves of surrogate pairs, which YAML can write and no file or database can hold; whole pairs become their character."""
    values = [node, *node.value] if isinstance(node, yaml.SequenceNode) else [node]
    for value in values:
        if not value.tag.startswith("tag:yaml.org,2002:") or "python" in value.tag:
            sheet.refuse(value.start_mark.line + 2, f"the tag {value.tag[:60]!r} is not allowed")
        if isinstance(value.value, str):
            value.value = value.value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
            if HALF_PAIR.search(value.value):
                sheet.refuse(value.start_mark.line + 2, "half of a surrogate pair, which is no character")


def _text(sheet: _Sheet, name: str) -> str:
    node = sheet.nodes.get(name)
    if node is None:
        return ""
    if not isinstance(node, yaml.ScalarNode):
        sheet.refuse(sheet.line(name), f"{name} must be one line of text")
        return ""
    return _clean(node.value)


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())


def _title(sheet: _Sheet) -> str:
    title = _text(sheet, "title")
    if not title and not sheet.refused:
        sheet.refuse(sheet.line("title"), "there is no title")
    if len(title) > MAX_TITLE:
        sheet.refuse(sheet.line("title"), f"the title is longer than {MAX_TITLE} characters")
    return title


def _answer(sheet: _Sheet) -> str:
    answer = _text(sheet, "answer")
    if len(answer.split()) > MAX_ANSWER_WORDS:
        sheet.warn(sheet.line("answer"), f"the answer is longer than {MAX_ANSWER_WORDS} words")
    return answer


def _one_of(sheet: _Sheet, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = _text(sheet, name) or default
    if value not in allowed:
        sheet.refuse(sheet.line(name), f"unknown {name} {value[:40]!r}: one of {', '.join(allowed)}")
    return value


def _category(sheet: _Sheet, default: str) -> str:
    category = (_text(sheet, "category") or default).lower()
    if not SLUG.fullmatch(category):
        sheet.refuse(sheet.line("category"), f"the category {category[:40]!r} may hold only small letters, digits, - and _")
    return category


def _list(sheet: _Sheet, name: str) -> list[tuple[int, str]]:
    """The texts of a list with their lines; a single text counts as a list of one."""
    node = sheet.nodes.get(name)
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value.strip()):
        return []
    parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if isinstance(node, yaml.MappingNode) or not all(isinstance(part, yaml.ScalarNode) for part in parts):
        sheet.refuse(sheet.line(name), f"{name} must be a list of texts")
        return []
    return [(part.start_mark.line + 2, _clean(part.value)) for part in parts if part.value.strip()]


def _questions(sheet: _Sheet) -> tuple[str, ...]:
    questions: dict[str, None] = {}
    for line, question in _list(sheet, "questions"):
        if len(question) > MAX_QUESTION:
            sheet.warn(line, f"a question longer than {MAX_QUESTION} characters is left out")
        else:
            questions[question] = None
    if len(questions) > MAX_QUESTIONS:
        sheet.warn(sheet.line("questions"), f"only the first {MAX_QUESTIONS} questions are used")
    return tuple(questions)[:MAX_QUESTIONS]


def _related(sheet: _Sheet) -> tuple[str, ...]:
    return tuple(dict.fromkeys(slug.lower() for _, slug in _list(sheet, "related")))


def _date(sheet: _Sheet, name: str) -> date | None:
    text = _text(sheet, name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        sheet.refuse(sheet.line(name), f"bad date {text[:40]!r} in {name}: wanted year-month-day, such as 2027-03-01")
        return None


def _moment(sheet: _Sheet, name: str, default: datetime) -> datetime:
    day = _date(sheet, name)
    return datetime.combine(day, time(), timezone.utc) if day else default
