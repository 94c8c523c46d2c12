"""The help centre as its readers meet it: requests in, pages out, over a real index on disk."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from knowledge_base import article_store, generations
from knowledge_base.exceptions import SearchRefused, SearchUnavailable
from knowledge_base.library import Library
from knowledge_base.model import Article, Cutoffs, Heading, Hit, Passage, SearchAnswer
from touchpoints.exceptions import StoreError
from widget.help.pages import help_pages
from widget.help.results import LONGEST_QUERY, cleaned_query, opens_with

WIDGET = Path(__file__).resolve().parents[2] / "widget"
CHANGED = datetime(2026, 9, 3, 8, 0, tzinfo=UTC)

RED_LIGHT = Article(
    slug="router-red-light",
    path="network/router-red-light.md",
    title="Router shows a red light",
    markdown="",
    updated=CHANGED,
    kind="guide",
    category="network",
    checked=date(2026, 11, 2),
    related=("slow-wifi", "staff-passwords"),
)
SLOW = Article(slug="slow-wifi", path="network/slow-wifi.md", title="Wi-Fi is slow & far away", markdown="", updated=CHANGED, category="network")
RETURNS = Article(slug="returns", path="orders/returns.md", title="Send something back", markdown="", updated=CHANGED, category="orders-and-returns")
STAFF = Article(slug="staff-passwords", path="x.md", title="Staff passwords", markdown="", updated=CHANGED, audience="internal", category="secret")
DRAFT = Article(slug="next-year", path="y.md", title="Plans for next year", markdown="", updated=CHANGED, status="draft", category="network")


def stored(article: Article, *, answer: str = "", html: str = "", headings: tuple[Heading, ...] = ()) -> article_store.StoredArticle:
    text = re.sub(r"<[^>]*>", "", html) or article.title
    passage = article_store.StoredPassage(Passage("", "", text, ()), text, ())
    return article_store.StoredArticle(article, answer, html, headings, (), text, (), (passage,))


ARTICLES = (
    stored(
        RED_LIGHT,
        answer="Restart the router; if the light stays red, check the cable.",
        html='<h2 id="step-1">Step 1: Restart</h2><p>Pull the <strong>plug</strong>.</p><h2 id="step-2">Step 2: Cable</h2><p>Push it in.</p>',
        headings=(Heading(2, "Step 1: Restart", "step-1"), Heading(2, "Step 2: Cable", "step-2")),
    ),
    stored(SLOW, answer="Move the router.", html="<p>Move the <em>router</em>. Higher is better.</p>"),
    stored(RETURNS, answer="You have 30 days.", html="<p>Print the label first.</p>"),
    stored(STAFF, html="<p>router hunter2</p>"),
    stored(DRAFT, html="<p>router of tomorrow</p>"),
)


class FakeSearch:
    """Search by meaning that says what it was told to, or is away."""

    def __init__(self) -> None:
        self.answer: SearchAnswer | Exception = SearchUnavailable("search cannot be reached")
        self.asked: list[str] = []

    def search(self, text: str, limit: int = 3, timeout_s: float = 2.0) -> SearchAnswer:
        self.asked.append(text)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def finds(self, verdict: str, **confidences: float) -> None:
        titles = {stored.article.slug: stored.article for stored in ARTICLES}
        slugs = {name.replace("_", "-"): confidence for name, confidence in confidences.items()}
        hits = tuple(
            Hit(slug, titles[slug].title, "faq", "c", "service", "Step 2: Cable", "step-2", f"/help/{slug}#step-2", "", "Push it in.", (), confidence)
            for slug, confidence in slugs.items()
        )
        self.answer = SearchAnswer("20261121T190000Z-3f9c2a", verdict, Cutoffs(0.6, 0.3), hits)


class Notebook:
    """A ledger that remembers what it was told, or refuses to."""

    def __init__(self) -> None:
        self.views: list[tuple[str, str | None]] = []
        self.searches: list[tuple[str, list[str], bool]] = []
        self.broken = False

    def article_view(self, slug: str, ref: str | None) -> None:
        if self.broken:
            raise StoreError
        self.views.append((slug, ref))

    def search(self, query: str, slugs: Sequence[str], answerable: bool) -> None:
        if self.broken:
            raise StoreError
        self.searches.append((query, list(slugs), answerable))


def build(index: Path, articles: Sequence[article_store.StoredArticle]) -> None:
    """Write a generation of these articles and make it live."""
    folder = index / "building-1"
    folder.mkdir(parents=True)
    article_store.write_articles(folder / article_store.FILE_NAME, articles)
    generations.finish(folder, {})
    generations.make_live(index, folder, generations.new_name(CHANGED))


@pytest.fixture
def search() -> FakeSearch:
    return FakeSearch()


@pytest.fixture
def ledger() -> Notebook:
    return Notebook()


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def empty(index: Path, search: FakeSearch, ledger: Notebook) -> Iterator[FlaskClient]:
    """A reader of a help centre whose index was not built yet."""
    app = Flask("widget", root_path=str(WIDGET))
    app.register_blueprint(help_pages(Library(index), search, ledger, articles=index.parent / "articles"))
    with app.test_client() as client:
        yield client


@pytest.fixture
def reader(empty: FlaskClient, index: Path) -> FlaskClient:
    build(index, ARTICLES)
    return empty


def text_of(page: str) -> str:
    """What a reader sees, near enough: the main part without tags, in single blanks."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def test_the_home_lists_every_public_article_under_its_category(reader: FlaskClient, ledger: Notebook) -> None:
    """A category's file name becomes a heading, and titles are escaped."""
    page = reader.get("/help").text
    assert '<h2 id="category-2">Orders and returns</h2>' in page
    assert 'href="/help/router-red-light"' in page
    assert "Wi-Fi is slow &amp; far away" in page
    assert ledger.views == []
    assert ledger.searches == []


def test_nothing_internal_or_unpublished_is_ever_named(reader: FlaskClient, search: FakeSearch) -> None:
    """Neither in lists, nor in searches by words, nor among related articles, nor as an empty category."""
    pages = reader.get("/help").text + reader.get("/help?q=router").text + reader.get("/help/router-red-light").text
    assert "Staff passwords" not in pages
    assert "hunter2" not in pages
    assert "next year" not in pages
    assert "Secret" not in pages
    assert 'href="/help/slow-wifi"' in reader.get("/help/router-red-light").text


@pytest.mark.parametrize("slug", ["staff-passwords", "next-year"])
def test_an_internal_article_looks_just_like_one_that_does_not_exist(reader: FlaskClient, ledger: Notebook, slug: str) -> None:
    """Same status, same page, no view recorded."""
    hidden, absent = reader.get(f"/help/{slug}"), reader.get("/help/no-such-thing")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.data == absent.data
    assert "There is no such article" in hidden.text
    assert ledger.views == []


def test_an_article_shows_its_answer_contents_date_and_related_ones(reader: FlaskClient) -> None:
    """The body comes as the knowledge base made it, the rest around it."""
    page = reader.get("/help/router-red-light").text
    assert "<p>Pull the <strong>plug</strong>.</p>" in page
    assert '<a href="#step-2">Step 2: Cable</a>' in page
    assert "The short answer Restart the router; if the light stays red, check the cable." in text_of(page)
    assert 'Last checked <time datetime="2026-11-02">2 November 2026</time>' in page
    assert '<meta name="description" content="Restart the router; if the light stays red, check the cable.">' in page
    assert '<link rel="canonical" href="http://localhost/help/router-red-light">' in page
    assert 'action="/api/articles/router-red-light/feedback"' in page


def test_an_article_that_opens_with_its_answer_says_it_once(reader: FlaskClient) -> None:
    """Nor does one without headings have an empty table of contents; without a check the last change is named."""
    page = reader.get("/help/slow-wifi").text
    assert "The short answer" not in page
    assert "On this page" not in page
    assert "Last changed" in page


def test_the_pages_need_no_script_and_let_none_in(reader: FlaskClient) -> None:
    """The strict policy allows script files of the kit only; what needs them is hidden until they run."""
    for address in ("/help", "/help?q=router", "/help/router-red-light", "/help/absent"):
        page = reader.get(address).text
        assert re.findall(r"<script[^>]*>[^<]", page) == []
        assert not re.search(r"\s(style|on\w+)=", page)
        assert "<support-chat></support-chat>" in page
        assert re.findall(r"<button[^>]*data-open-chat(?![^>]*hidden)", page) == []
    assert '<form class="feedback" hidden' in reader.get("/help/router-red-light").text


def test_reading_is_recorded_with_what_the_link_carried(reader: FlaskClient, ledger: Notebook) -> None:
    """A look at the headers alone is no reading; a reference too long to be ours is dropped."""
    reader.get("/help/slow-wifi?ref=abc.7")
    reader.get("/help/slow-wifi")
    reader.head("/help/slow-wifi")
    reader.get("/help/slow-wifi?ref=" + "x" * 5000)
    assert ledger.views == [("slow-wifi", "abc.7"), ("slow-wifi", None), ("slow-wifi", None)]


def test_a_search_finds_by_meaning_and_is_recorded(reader: FlaskClient, search: FakeSearch, ledger: Notebook) -> None:
    """The best passage is named and linked; hits that are hardly likely beside it are left out."""
    search.finds("answer", router_red_light=0.91, slow_wifi=0.2, returns=0.01)
    page = reader.get("/help", query_string={"q": "why is the lamp of my box red"}).text
    assert 'href="/help/router-red-light#step-2"' in page
    assert page.index("router-red-light#") < page.index("slow-wifi#")
    assert "/help/returns" not in page
    assert "resting" not in page
    assert ledger.searches == [("why is the lamp of my box red", ["router-red-light", "slow-wifi"], True)]


def test_a_single_word_is_looked_up_as_a_word_too(reader: FlaskClient, search: FakeSearch, ledger: Notebook) -> None:
    """One word says too little for a sure answer, yet articles that have it are wanted, each once."""
    search.finds("none", returns=0.05)
    assert 'href="/help/slow-wifi"' in reader.get("/help?q=router").text
    search.finds("offer", slow_wifi=0.4)
    page = reader.get("/help?q=router").text
    assert page.count('<h2><a href="/help/slow-wifi') == 1
    assert ledger.searches[1] == ("router", ["slow-wifi", "router-red-light"], False)


def test_a_search_without_result_is_kind_and_shows_the_way_to_a_person(reader: FlaskClient, search: FakeSearch, ledger: Notebook) -> None:
    """A sentence that nothing answers does not bring up whatever shares a word with it."""
    search.finds("none", returns=0.05)
    page = reader.get("/help", query_string={"q": "will the router rain on you"}).text
    assert "Sorry, none of our articles seems to answer this." in text_of(page)
    assert "data-open-chat" in page
    assert "To write to us please allow JavaScript" in page
    assert ledger.searches == [("will the router rain on you", [], False)]


@pytest.mark.parametrize("problem", [SearchUnavailable("gone"), SearchRefused(401, "unauthorized", "no")])
def test_with_search_away_words_are_compared_and_the_page_says_so(reader: FlaskClient, search: FakeSearch, problem: Exception) -> None:
    """Whatever is wrong with the search service, the reader gets articles."""
    search.answer = problem
    page = reader.get("/help", query_string={"q": "my router is slow, please help"}).text
    assert 'href="/help/slow-wifi"' in page
    assert "found by their words only" in page


def test_markup_in_a_query_is_shown_as_text(reader: FlaskClient, search: FakeSearch) -> None:
    """In the heading, in the title and in the box."""
    search.finds("none")
    page = reader.get("/help", query_string={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("  red \n light ", "red light"), ("a\x00b\ud800c", "a b c"), ("x" * 9999, "x" * LONGEST_QUERY), (" \t", "")],
)
def test_a_query_is_cleaned_before_it_is_asked(typed: str, asked: str) -> None:
    """Control characters and lone surrogates go, blanks are folded, length is bounded."""
    assert cleaned_query(typed) == asked


def test_a_blank_search_is_the_home(reader: FlaskClient, search: FakeSearch, ledger: Notebook) -> None:
    """Nothing is asked and nothing recorded."""
    assert "How can we help?" in reader.get("/help?q=%20%00").text
    assert search.asked == []
    assert ledger.searches == []


def test_a_ledger_that_fails_costs_the_reader_nothing(
    reader: FlaskClient, search: FakeSearch, ledger: Notebook, caplog: pytest.LogCaptureFixture
) -> None:
    """The pages come as ever, and the log holds the cause."""
    ledger.broken = True
    with caplog.at_level(logging.WARNING):
        assert reader.get("/help/slow-wifi").status_code == 200
        assert reader.get("/help?q=router").status_code == 200
    assert caplog.text.count("the ledger was not written") == 2


@pytest.mark.parametrize("address", ["/help", "/help/slow-wifi", "/help?q=router"])
def test_without_an_index_the_page_says_to_come_back(empty: FlaskClient, address: str) -> None:
    """503 in the help centre's look, and the way to a person stays."""
    answer = empty.get(address)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "Please try again in a minute" in text_of(answer.text)
    assert "<support-chat>" in answer.text


def test_an_edited_article_is_read_at_once(reader: FlaskClient, index: Path) -> None:
    """The pages follow the live generation."""
    build(index, [stored(replace(SLOW, title="Wi-Fi crawls"), html="<p>New words.</p>")])
    assert "Wi-Fi crawls" in reader.get("/help/slow-wifi").text
    assert reader.get("/help/returns").status_code == 404


def test_a_help_centre_without_articles_says_so(empty: FlaskClient, index: Path) -> None:
    """An empty library is a page, not an error."""
    build(index, [stored(STAFF)])
    assert "There are no articles yet" in empty.get("/help").text


def test_the_files_of_the_pages_are_served(reader: FlaskClient) -> None:
    """Every file of its own that a page names is there."""
    page = reader.get("/help/router-red-light").text
    names = set(re.findall(r'(?:href|src)="(/help/static/[^"]+)"', page))
    assert {"/help/static/pages.css", "/help/static/help.css", "/help/static/help.js"} <= names
    for name in names:
        with reader.get(name) as answer:
            assert answer.status_code == 200, name


@pytest.fixture
def pictures(index: Path) -> Path:
    """An articles' folder with a picture, and with things beside it that are nobody's business."""
    folder = index.parent / "articles" / "network" / "media"
    folder.mkdir(parents=True)
    (folder / "lights.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script href='/help/media/network/evil.js'/></svg>", encoding="utf-8")
    (folder / "evil.js").write_text("alert(1)", encoding="utf-8")
    (folder / "page.html").write_text("<script>alert(1)</script>", encoding="utf-8")
    (folder.parent / "secret.svg").write_text("not in a media folder", encoding="utf-8")
    return folder


def test_pictures_of_articles_are_served_and_cannot_run(reader: FlaskClient, pictures: Path) -> None:
    """An SVG opened by itself is a page, so it is sandboxed."""
    with reader.get("/help/media/network/lights.svg") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "image/svg+xml"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name",
    ["network/evil.js", "network/page.html", "network/secret.svg", "network/../secret.svg", "%2e%2e/secret.svg", "x" * 4000 + ".svg", "a%00.svg"],
)
def test_nothing_else_lies_open(reader: FlaskClient, pictures: Path, name: str) -> None:
    """No script, no page, nothing outside a media folder; the answer is the help centre's 404."""
    answer = reader.get(f"/help/media/{name}")
    assert answer.status_code == 404
    assert "There is no such article" in answer.text


def test_a_long_category_shows_its_first_articles_and_unfolds(reader: FlaskClient, index: Path) -> None:
    """Without a script, too."""
    build(index, [stored(replace(SLOW, slug=f"article-{number}", title=f"Article {number}")) for number in range(8)])
    page = reader.get("/help").text
    folded = page[page.index("<details>") : page.index("</details>")]
    assert "<summary>3 more</summary>" in folded
    assert re.findall(r"Article \d", folded) == ["Article 5", "Article 6", "Article 7"]


def test_an_answer_is_recognised_through_markup_and_entities() -> None:
    """Blanks, tags and escapes make no difference; other words do."""
    assert opens_with("<p>Press\n<strong>A &amp; B</strong>. Then wait.</p>", "Press A & B.")
    assert not opens_with("<p>Press C.</p>", "Press A & B.")
