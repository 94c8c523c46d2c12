"""What `check` says of links, pictures, headings and reviews: each rule with an article that breaks it, its line, and one that does not."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge_base.checking import check
from knowledge_base.reading import read_folder

TODAY = date(2026, 11, 21)
PNG = b"\x89PNG"
NO_DESCRIPTION = "no description: say what it shows, for who cannot see it"


@pytest.fixture
def findings(articles):
    """Says what `check` finds, one line a finding."""
    return lambda **options: [str(found) for found in check(read_folder(articles.folder), articles.folder, today=TODAY, **options)]


@pytest.fixture
def page(articles, findings):
    """Writes an article ``net/here.md`` whose body begins on line 5, beside others to link to, and says what is found in it."""

    def write(body: str, **fields: str) -> list[str]:
        articles.add("net/router-red", "Router is red", body="Text.\n\n## Check the cable\n\nPush it in.")
        articles.add("staff/refund-limit", "Limits for us", audience="internal", body="## Amounts\n\nUp to 50.")
        articles.add("net/coming-soon", "Coming soon", status="draft", body="Not yet.")
        articles.add("net/old-box", "Our old box", status="archived", body="[gone](no-article)")
        articles.write("net/media/light.png", PNG)
        articles.write("media/shared.png", PNG)
        articles.write("media/film.mp4", b"film")
        articles.add("net/here", "Here we are", body=body, **fields)
        return [line.removeprefix("net/here.md:") for line in findings() if line.startswith("net/here.md:")]

    return write


@pytest.mark.parametrize(
    "body",
    [
        "[a](router-red) [b](../net/router-red.md) [c](/help/router-red) [d](router-red#check-the-cable)",
        "[top](#part)\n\n## Part\n\nText.",
        "[a](https://example.org/x) [b](mailto:a@example.org) [c](tel:+123) [d](/help) [e](/shop/basket)",
        "![A light](media/light.png) ![Ours](../media/shared.png)",
        '<img src="/help/media/shared.png" alt=""> <a href="router-red">a</a>\n\n<video src="/help/media/film.mp4" controls></video>',
        "## Two\n\n### Three\n\n#### Four\n\n## Two again",
        "# One, taken for two\n\n### Three",
        "`[code](nowhere)`\n\n```\n![](gone.png)\n```",
        "[file](/help/media/shared.png)",
    ],
)
def test_a_sound_article_gives_no_findings(page, body):
    """Every way to link and to show that the pages understand."""
    assert page(body) == []


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("Text,\nmore of it\n[away](router-rot)", "7: the link leads to the article 'router-rot', which does not exist; did you mean 'router-red'?"),
        ("A.\n\n- one\n- two [x](/help/nobody)", "8: the link leads to the article 'nobody', which does not exist"),
        ("| a | b |\n|---|---|\n| c | [x](nobody) |", "7: the link leads to the article 'nobody', which does not exist"),
        ("> said\n> [x](nobody)", "6: the link leads to the article 'nobody', which does not exist"),
        ("A [b][1].\n\n[1]: nobody", "5: the link leads to the article 'nobody', which does not exist"),
        ("`a\nb` and [x](nobody)", "6: the link leads to the article 'nobody', which does not exist"),
        ("[x](#prat)\n\n## Part", "5: the link leads to '#prat', but this article has no such heading; did you mean 'part'?"),
        ("\n\n[x](router-red#cables)", "7: the link leads to '#cables', but 'router-red' has no such heading"),
        ("[x](media/manual.pdf)", "5: the link to 'media/manual.pdf' leads nowhere: wanted an article's name, #a-heading,"),
        ("[x](ftp://example.org/x)", "5: the link to 'ftp://example.org/x' leads nowhere: wanted an article's name,"),
        ("[x](/help/media/manual.pdf)", "5: the file '/help/media/manual.pdf' does not exist"),
        ('A\n<a href="nobody">x</a>', "6: the link leads to the article 'nobody', which does not exist"),
        ('<details>\n<a href="/help/nobody">x</a>\n</details>', "6: the link leads to the article 'nobody', which does not exist"),
    ],
)
def test_links_that_lead_nowhere_are_errors(page, body, wanted):
    """Wherever they stand: in paragraphs, lists, tables, quotations, by reference, in HTML."""
    (found,) = page(body)
    assert found.startswith(wanted)


def test_a_public_article_never_links_to_an_internal_one(page):
    """Neither its words nor its name are for customers; an internal one may."""
    assert page("One.\n\nTwo [limits](refund-limit).") == [
        "7: the link from a public article leads to 'refund-limit', which is internal: customers must not learn of it"
    ]
    assert page("[limits](refund-limit#amounts)", audience="internal") == []
    assert page("[limits](refund-limit)", status="draft") == [
        "6: warning: the link from a public article leads to 'refund-limit', which is internal: customers must not learn of it"
    ]


@pytest.mark.parametrize(("slug", "state"), [("coming-soon", "a draft"), ("old-box", "archived")])
def test_a_published_article_links_to_published_ones_only(page, slug, state):
    """A draft may link to a draft: both may be published together."""
    assert page(f"[x]({slug})") == [f"5: the link leads to '{slug}', which is {state}: readers will not find it"]
    assert page(f"[x]({slug})", status="draft") == []
    assert page(f"[x]({slug})", audience="internal") == [f"6: the link leads to '{slug}', which is {state}: readers will not find it"]


def test_what_is_wrong_in_a_draft_is_a_warning_and_in_an_archived_article_nothing(page):
    """A draft need not be finished, and nobody reads what is archived."""
    assert page("[x](nobody)", status="draft") == ["6: warning: the link leads to the article 'nobody', which does not exist"]
    assert page("[x](nobody)", status="archived") == []


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("One.\n\nTwo\n![A light](media/lihgt.png)", "8: the picture 'media/lihgt.png' does not exist"),
        ("![A light](pictures/light.png)", "5: the picture 'pictures/light.png' does not lie in a folder media, so it is not shown"),
        ("![A](https://a.org/x.png)", "5: the picture 'https://a.org/x.png' lies on another site and is not shown: put it into a folder media"),
        ("A\n\n![ ](media/light.png)", f"7: the picture 'media/light.png' has {NO_DESCRIPTION}"),
        ('<img src="/help/media/shared.png">', f"5: the picture '/help/media/shared.png' has {NO_DESCRIPTION}"),
        ('A\n\n<img alt="x" src="shared.png">', "7: the picture 'shared.png' does not lie in a folder media, as /help/media/…, so it is not shown"),
        ('<video controls>\n<source src="/help/media/flim.mp4">\n</video>', "6: the file '/help/media/flim.mp4' does not exist"),
        ('<video src="/help/media/film.mp4">\n<track src="/help/media/film.vtt">\n</video>', "6: the file '/help/media/film.vtt' does not exist"),
    ],
)
def test_pictures_are_there_and_described(page, body, wanted):
    """Markdown and HTML; captions and films are files, too."""
    assert page(body) == [wanted]


def test_a_picture_outside_its_media_folder_is_not_taken_for_one_inside(page, articles):
    """Also when such a file exists."""
    articles.write("secret.png", PNG)
    assert page("![x](media/../../secret.png)") == ["5: the picture 'media/../../secret.png' does not lie in a folder media, so it is not shown"]


@pytest.mark.parametrize(
    ("body", "line", "jump"),
    [
        ("## Two\n\n#### Four", 7, "'Four' is of level 4 below one of level 2: wanted ###"),
        ("\n### Three", 6, "'Three' is of level 3 below one of level 1: wanted ##"),
    ],
)
def test_headings_leave_out_no_level(page, body, line, jump):
    """The title is level 1."""
    assert page(body) == [f"{line}: warning: the heading {jump}"]


def test_related_articles_are_ones_that_can_be_shown(page):
    """What does not exist is an error; what is left out of the list, a warning; each on the line of its entry."""
    assert page("Text.", related="[router-red]") == []
    assert page("Text.", related="\n  - router-red\n  - Router-Rot\n  - refund-limit\n  - coming-soon\n  - here") == [
        "5: the related article 'router-rot' does not exist; did you mean 'router-red'?",
        "6: warning: the related article 'refund-limit' is internal, so customers are not shown it",
        "7: warning: the related article 'coming-soon' is a draft, so customers are not shown it",
        "8: warning: the article is related to itself",
    ]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"review_by": "2026-11-20", "owner": "network"}, ["3: warning: the review is overdue since 2026-11-20 (owner: network)"]),
        ({"review_by": "2026-11-21"}, []),
        ({"owner": "x", "checked": "2025-11-20"}, ["4: warning: last checked on 2025-11-20, more than 365 days ago (owner: x)"]),
        ({"checked": "2025-11-21"}, []),
        ({"checked": "2026-10-01", "review_by": "2026-09-01"}, []),
        ({"checked": "2026-08-01", "review_by": "2026-09-01"}, ["4: warning: the review is overdue since 2026-09-01"]),
        ({"checked": "2020-01-01", "review_by": "2027-01-01"}, []),
        ({"checked": "2026-11-22"}, ["3: warning: checked on 2026-11-22, a day that has not come yet"]),
        ({"review_by": "2020-01-01", "status": "draft"}, []),
    ],
)
def test_overdue_reviews_are_said(page, fields, wanted):
    """By the day named, or a year after the last check; a check on that day or later is the review."""
    assert page("Text.", **fields) == wanted


def test_how_long_a_check_holds_can_be_said(articles, findings):
    """In days."""
    articles.add("a", "A", checked="2026-10-22", body="Text.")
    assert findings(review_days=30) == []
    assert findings(review_days=29) == ["a.md:3: warning: last checked on 2026-10-22, more than 29 days ago"]


def test_problems_of_reading_are_errors_and_come_in_the_same_order(articles, findings):
    """By file and line, whatever found them."""
    articles.write("b.md", "no front matter")
    articles.add("a", "A", colour="red", body="[x](nobody)")
    assert findings() == [
        "a.md:3: unknown field 'colour'",
        "a.md:6: the link leads to the article 'nobody', which does not exist",
        "b.md:1: there is no front matter, so no title: the file must begin with a line ---",
    ]


def test_lines_are_right_in_files_of_windows_with_a_mark_and_quoted_fields(articles, findings):
    """Carriage returns, a byte order mark, questions over two lines."""
    text = "\ufeff---\ntitle: A\nquestions:\n  - >-\n    where is\n    my bill\n  - 'pay: now'\n---\n\nText\n\n[x](nobody)\n"
    articles.write("a.md", text.replace("\n", "\r\n").encode())
    articles.add("b", "B", "Pay now!", body="Text.")
    assert findings() == [
        "a.md:7: the question 'pay: now' stands in another article, too: b.md:4",
        "a.md:12: the link leads to the article 'nobody', which does not exist",
        "b.md:4: the question 'Pay now!' stands in another article, too: a.md:7",
    ]
