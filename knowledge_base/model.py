"""The nouns of the knowledge base, as frozen dataclasses.

A *node* is a JSON object ``{"el", "text"?, "href"?, "src"?, "alt"?, "children"?}`` from the closed list in
`docs/architecture.md`; chat and help centre draw nodes, never markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Node = dict[str, Any]

KINDS = ("faq", "guide")
STAGES = ("awareness", "consideration", "purchase", "onboarding", "service", "retention", "advocacy")
AUDIENCES = ("public", "internal")
STATUSES = ("draft", "published", "archived")


@dataclass(frozen=True)
class Problem:
    """Something an editor has to put right. ``path`` is relative to the articles' folder, ``line`` counts from 1."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True)
class Article:
    """One Markdown file as its editor wrote it. ``body_line`` is the line of the file on which ``markdown`` begins."""

    slug: str
    path: str
    title: str
    markdown: str
    updated: datetime
    answer: str = ""
    kind: str = "faq"
    questions: tuple[str, ...] = ()
    category: str = "general"
    stage: str = "service"
    audience: str = "public"
    status: str = "published"
    owner: str = ""
    review_by: date | None = None
    checked: date | None = None
    related: tuple[str, ...] = ()
    lang: str = "en"
    body_line: int = 1

    @property
    def is_public(self) -> bool:
        """Whether a customer may ever see it."""
        return self.audience == "public" and self.status == "published"


@dataclass(frozen=True)
class Heading:
    """A heading of an article: ``level`` 2 to 6 (an article's title is the one level 1), ``anchor`` is its id in the page."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Choice:
    """One way on from a step: ``target`` is the id of a step of the same guide, or the slug of another article."""

    title: str
    target: str


@dataclass(frozen=True)
class Step:
    """One step of a troubleshooting guide."""

    id: str
    title: str
    text: str
    body: tuple[Node, ...]
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A piece of an article under one heading, small enough to be shown and to be embedded whole."""

    section: str
    anchor: str
    text: str
    body: tuple[Node, ...]


@dataclass(frozen=True)
class PublicArticle:
    """An article as a customer may read it. ``html`` is sanitised; ``related`` names only articles that are public too."""

    slug: str
    title: str
    kind: str
    category: str
    stage: str
    answer: str
    html: str
    headings: tuple[Heading, ...]
    steps: tuple[Step, ...]
    related: tuple[str, ...]
    lang: str
    updated: datetime
    checked: date | None
    review_by: date | None

    @property
    def url(self) -> str:
        return f"/help/{self.slug}"


@dataclass(frozen=True)
class ArticleSummary:
    """What a list of articles shows of each."""

    slug: str
    title: str
    kind: str
    category: str
    stage: str
    answer: str
    updated: datetime

    @property
    def url(self) -> str:
        return f"/help/{self.slug}"


@dataclass(frozen=True)
class Category:
    """A category that has at least one public article, and how many it has."""

    name: str
    articles: int


@dataclass(frozen=True)
class KeywordHit:
    """An article found by its words alone. ``excerpt`` is plain text, at most 300 characters."""

    slug: str
    title: str
    kind: str
    category: str
    url: str
    excerpt: str


@dataclass(frozen=True)
class Cutoffs:
    """From ``answer`` up the bot answers, from ``offer`` up it offers, below it asks again. Both are probabilities."""

    answer: float
    offer: float

    def verdict(self, confidence: float) -> str:
        """``answer``, ``offer`` or ``none`` for the confidence of a best hit."""
        if confidence >= self.answer:
            return "answer"
        return "offer" if confidence >= self.offer else "none"


@dataclass(frozen=True)
class Hit:
    """An article that may answer a question. ``confidence`` is the calibrated probability that it does."""

    slug: str
    title: str
    kind: str
    category: str
    stage: str
    section: str
    anchor: str
    url: str
    answer: str
    excerpt: str
    body: tuple[Node, ...]
    confidence: float


@dataclass(frozen=True)
class SearchAnswer:
    """What search says to one question: hits with the best first, and the verdict on the best one."""

    generation: str
    verdict: str
    cutoffs: Cutoffs
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class ArticleAnswer:
    """One article as the chat shows it; ``steps`` is empty for an FAQ."""

    slug: str
    title: str
    kind: str
    category: str
    stage: str
    section: str
    anchor: str
    url: str
    answer: str
    excerpt: str
    body: tuple[Node, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class SearchHealth:
    """How the search service stands: the live generation, its public articles, and how many problems the files have.

    Of the questions put to this generation, ``remembered`` were asked before and answered from memory, ``looked_up`` were not.
    """

    generation: str
    articles: int
    problems: int
    remembered: int = 0
    looked_up: int = 0
