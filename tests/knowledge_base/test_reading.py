"""What editors write becomes articles; what is wrong is said with file and line, and the rest stays."""

from __future__ import annotations

import os
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from knowledge_base.model import Problem
from knowledge_base.reading import MAX_BYTES, FolderReader, Reading, read_folder

NO_ARTICLES = Problem(".", 1, "there are no articles in it, not one .md file")


def slugs(reading: Reading) -> list[str]:
    return [article.slug for article in reading.articles]


def test_a_title_is_all_an_article_needs(articles):
    """Everything else has a default."""
    articles.write("billing/late-fee.md", "---\ntitle: Late fee\n---\n")
    reading = read_folder(articles.folder)
    (article,) = reading.articles
    assert reading.problems == ()
    assert (article.slug, article.title, article.kind, article.category) == ("late-fee", "Late fee", "faq", "billing")
    assert (article.stage, article.audience, article.status, article.lang, article.questions) == ("service", "public", "published", "en", ())
    assert article.is_public


def test_every_field_is_read(articles):
    """The whole front matter of the plan."""
    articles.write(
        "a.md",
        "---\ntitle: Late fee\nanswer: Pay within 14 days.\nkind: guide\nquestions:\n  - why a fee\n  - what is 1.10\n"
        "category: billing\nstage: retention\naudience: internal\nstatus: archived\nowner: money\nreview_by: 2027-03-01\n"
        "checked: 2026-10-01\nupdated: 2026-09-01\nrelated: [b, C]\nlang: de\n---\nBody\n",
    )
    (article,) = read_folder(articles.folder).articles
    assert article.questions == ("why a fee", "what is 1.10")
    assert (article.answer, article.kind, article.stage, article.owner, article.lang) == ("Pay within 14 days.", "guide", "retention", "money", "de")
    assert (article.review_by, article.checked) == (date(2027, 3, 1), date(2026, 10, 1))
    assert article.updated == datetime(2026, 9, 1, tzinfo=timezone.utc)
    assert article.related == ("b", "c")
    assert (article.markdown, article.body_line, article.is_public) == ("Body\n", 19, False)


@pytest.mark.parametrize(("value", "title"), [("No", "No"), ("1.10", "1.10"), ("'a: b'", "a: b"), ("2027-01-01", "2027-01-01"), ("~", "~")])
def test_a_title_means_what_stands_there(articles, value, title):
    """YAML's guesses at numbers, dates and booleans are not taken."""
    articles.write("a.md", f"---\ntitle: {value}\n---\n")
    assert read_folder(articles.folder).articles[0].title == title


BAD = {
    "nothing": ("", 1, "no front matter"),
    "no front matter": ("# Late fee\n", 1, "no front matter"),
    "not closed": ("---\ntitle: a\n", 1, "not closed"),
    "no title": ("---\nkind: faq\n---\n", 1, "no title"),
    "empty title": ("---\nkind: faq\ntitle:\n---\n", 3, "no title"),
    "long title": (f"---\ntitle: {'a' * 201}\n---\n", 2, "title is longer"),
    "broken": ("---\ntitle: a\nquestions: [a, b\n---\n", 3, "broken front matter"),
    "tab": ("---\ntitle: a\n\tkind: faq\n---\n", 3, "broken front matter"),
    "a list": ("---\n- a\n---\n", 2, "name: value"),
    "title twice": ("---\ntitle: a\ntitle: b\n---\n", 3, "twice"),
    "title is a list": ("---\ntitle: [a]\n---\n", 2, "one line of text"),
    "kind": ("---\ntitle: a\nkind: recipe\n---\n", 3, "unknown kind 'recipe'"),
    "stage": ("---\ntitle: a\nstage: later\n---\n", 3, "unknown stage"),
    "audience": ("---\ntitle: a\naudience: all\n---\n", 3, "unknown audience"),
    "status": ("---\ntitle: a\nstatus: live\n---\n", 3, "unknown status"),
    "category": ("---\ntitle: a\ncategory: ../etc\n---\n", 3, "category"),
    "date": ("---\ntitle: a\nreview_by: 2027-02-30\n---\n", 3, "bad date '2027-02-30'"),
    "date in words": ("---\ntitle: a\nreview_by: soon\n---\n", 3, "bad date"),
    "questions": ("---\ntitle: a\nquestions: {b: c}\n---\n", 3, "list of texts"),
    "nested questions": ("---\ntitle: a\nquestions: [[b]]\n---\n", 3, "list of texts"),
    "python tag": ("---\ntitle: !!python/object/apply:os.system [id]\n---\n", 2, "tag"),
    "own tag": ("---\ntitle: !secret a\n---\n", 2, "tag"),
    "deep": ("---\ntitle: " + "[" * 20_000 + "\n---\n", 2, "nested too deeply"),
    "control character": ("---\ntitle: a\x07b\n---\n", 1, "broken front matter"),
    "nul": ("---\ntitle: a\n---\nb\n\0", 5, "NUL"),
    "long front matter": ("---\ntitle: a\n" + "x: y\n" * 20_000 + "---\n", 1, "front matter is longer"),
    "latin-1": (b"---\ntitle: a\n---\n\nGr\xfc\xdfe\n", 5, "not UTF-8"),
    "large": ("---\ntitle: a\n---\n" + "a" * MAX_BYTES, 1, "larger than"),
}


@pytest.mark.parametrize("text,line,reason", BAD.values(), ids=BAD)  # noqa: PT006 - three names read better in one string here
def test_a_bad_article_is_reported_and_the_rest_stay(articles, text, line, reason):
    """File, line and reason; the good one beside it is there."""
    articles.write("good.md", "---\ntitle: Good\n---\n")
    articles.write("cat/bad.md", text)
    reading = read_folder(articles.folder)
    assert slugs(reading) == ["good"]
    assert [problem.path for problem in reading.problems] == ["cat/bad.md"] * len(reading.problems)
    assert any(problem.line == line and reason in problem.reason for problem in reading.problems), reading.problems


@pytest.mark.parametrize(
    "text", ["\ufeff---\ntitle: A\n---\nBody", "---\r\ntitle: A\r\n---\r\nBody", "---  \ntitle: A\n---\t\nBody", "---\ntitle: A\n...\nBody"]
)
def test_byte_order_marks_line_ends_and_blanks_are_no_problem(articles, text):
    """As editors on other systems leave them."""
    articles.write("a.md", text)
    reading = read_folder(articles.folder)
    assert reading.problems == ()
    assert (reading.articles[0].title, reading.articles[0].markdown.strip()) == ("A", "Body")


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("quesitons: [a]", "unknown field 'quesitons'"),
        (f"answer: {'word ' * 61}", "longer than 60 words"),
        (f"questions: [{'a' * 501}]", "longer than 500"),
    ],
)
def test_some_problems_leave_the_article_live(articles, front, reason):
    """They are reported all the same."""
    articles.write("a.md", f"---\ntitle: A\n{front}\n---\n")
    reading = read_folder(articles.folder)
    assert slugs(reading) == ["a"]
    assert [problem.line for problem in reading.problems if reason in problem.reason] == [3]


@pytest.mark.parametrize(("one", "other"), [("a/fee.md", "b/fee.md"), ("a/fee.md", "a/Fee.md"), ("fee.md", "b/FEE.MD")])
def test_two_files_with_one_slug_are_both_refused(articles, one, other):
    """By folder or by case; each is named at the other, in any order of reading."""
    for path in (other, one, "c/fine.md"):
        articles.write(path, "---\ntitle: Fee\n---\n")
    reading = read_folder(articles.folder)
    assert slugs(reading) == ["fine"]
    assert {(problem.path, other in problem.reason or one in problem.reason) for problem in reading.problems} == {(one, True), (other, True)}
    assert read_folder(articles.folder) == reading


@pytest.mark.parametrize("path", ["a b.md", "ä.md", "-a.md", f"{'a' * 101}.md"])
def test_a_file_name_that_cannot_be_a_slug_is_reported(articles, path):
    """Slugs stand in addresses."""
    articles.write(path, "---\ntitle: A\n---\n")
    reading = read_folder(articles.folder)
    assert slugs(reading) == []
    assert "file's name" in reading.problems[0].reason


def test_notes_and_media_are_left_alone(articles):
    """Names with a dot or an underline in front, folders named media, and other kinds of files."""
    for path in ("_template.md", ".draft.md", "media/readme.md", "_old/a.md", "notes.txt"):
        articles.write(path, "nothing")
    assert read_folder(articles.folder) == Reading((), (NO_ARTICLES,))


def test_a_missing_folder_is_one_problem(tmp_path: Path):
    """It does not fail."""
    assert read_folder(tmp_path / "away").problems == (Problem(".", 1, "there is no such folder"),)


def test_a_link_to_nowhere_is_passed_over(articles):
    """As are files that vanish between listing and reading."""
    (articles.folder / "a.md").symlink_to("gone.md")
    assert read_folder(articles.folder) == Reading((), (NO_ARTICLES,))


def test_a_reader_sees_edits_of_the_same_size(articles):
    """Size alone does not say whether a file changed."""
    file = articles.write("a.md", "---\ntitle: One\n---\n")
    reader = FolderReader(articles.folder)
    before = reader.stamps()
    assert reader.read().articles[0].title == "One"
    file.write_text("---\ntitle: Two\n---\n")
    os.utime(file, ns=(1, 1))
    assert reader.stamps() != before
    assert reader.read().articles[0].title == "Two"
    file.unlink()
    assert reader.read().articles == ()
