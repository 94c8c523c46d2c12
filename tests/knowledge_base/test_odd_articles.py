"""Articles as nobody should write them are cut sensibly, or refused with file and line; and the others stay."""

from __future__ import annotations

import os
import time

import pytest

from knowledge_base.aim import Aim
from knowledge_base.building import build
from knowledge_base.cutting import MAX_PASSAGE_CHARACTERS, MAX_PASSAGES
from knowledge_base.front_matter import MAX_PROBLEMS
from knowledge_base.preparing import prepare
from knowledge_base.reading import read_folder
from tests.knowledge_base.conftest import NOW

TITLE = "---\ntitle: A\n---\n"

ODD = {
    "ten thousand headings": TITLE + "".join(f"## Heading {number}\ntext\n" for number in range(10_000)),
    "ten thousand equal headings": TITLE + "## Same\n\n" * 10_000,
    "one endless line": TITLE + "word " * 50_000,
    "one endless word": TITLE + "w" * 250_000,
    "only emoji": "---\ntitle: 🙂\n---\n" + "🙂" * 10_000,
    "an emoji family": "---\ntitle: 👨‍👩‍👧‍👦\nquestions: [👍🏽]\n---\n👨‍👩‍👧‍👦",
    "marks without letters": TITLE + "\u0301" * 10_000,
    "right to left": "---\ntitle: \u202eabc\u202c\n---\n\u202e" + "abc " * 100,
    "deep lists": TITLE + "\n".join("  " * depth + "- a" for depth in range(400)),
    "deep quotations": TITLE + "> " * 5_000 + "a",
    "a hundred thousand links": TITLE + "[a](b)" * 40_000,
    "nothing below the title": TITLE,
    "blank lines": TITLE + "\n" * 200_000,
    "a surrogate pair as two escapes": '---\ntitle: "\\ud83d\\ude42"\n---\n',
}

REFUSED = {
    "a megabyte": (TITLE + "a" * 1_000_000, 1, "larger than"),
    "ten megabytes": (TITLE + "a" * 10_000_000, 1, "larger than"),
    "half a pair in the title": ('---\ntitle: "\\ud800"\n---\n', 2, "surrogate"),
    "half a pair in a question": ('---\ntitle: A\nquestions:\n  - fine\n  - "\\udfff x"\n---\n', 5, "surrogate"),
    "half a pair in the text": (TITLE.encode() + b"a\nb \xed\xa0\x80", 5, "not UTF-8"),
    "a NUL": (TITLE + "a\n\0", 5, "NUL"),
    "a tab": ("---\ntitle: A\n\tkind: faq\n---\n", 3, "front matter"),
    "deep YAML": ("---\ntitle: A\nquestions: " + "[a, " * 3_000 + "\n---\n", 3, "too deeply"),
    "brackets": ("---\ntitle: " + "[" * 50_000 + "\n---\n", 2, "too deeply"),
    "too many questions": ("---\ntitle: A\nquestions:\n" + "  - a question\n" * 4_000 + "---\n", 1_200, "more than 1200 values"),
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_articles_are_cut_sensibly(articles, index, embedder, text):
    """Each is live, found by its title, and of a size that can be shown."""
    articles.write("odd.md", text)
    articles.add("good", "Good article")
    reading = read_folder(articles.folder)
    assert [article.slug for article in reading.articles] == ["good", "odd"]
    assert reading.problems == ()
    stored = prepare(reading.articles[1])
    assert len(stored.passages) <= MAX_PASSAGES
    assert all(len(passage.passage.text) <= MAX_PASSAGE_CHARACTERS and len(passage.excerpt) <= 300 for passage in stored.passages)
    assert stored.answer
    assert build(reading, index, embedder, aim=Aim(), now=NOW).articles == 2


@pytest.mark.parametrize("text,line,reason", REFUSED.values(), ids=REFUSED)  # noqa: PT006 - three names read better in one string here
def test_odd_articles_are_refused_with_file_and_line(articles, text, line, reason):
    """And the good one stays."""
    articles.add("good", "Good article")
    articles.write("odd.md", text)
    reading = read_folder(articles.folder)
    assert [article.slug for article in reading.articles] == ["good"]
    ((path, at, why),) = [(problem.path, problem.line, problem.reason) for problem in reading.problems]
    assert (path, at) == ("odd.md", line)
    assert reason in why


def test_a_pipe_is_not_waited_for(articles):
    """Opening one would hang until somebody writes to it."""
    os.mkfifo(articles.folder / "odd.md")
    assert "not a plain file" in str(read_folder(articles.folder).problems)


def test_links_stay_inside_the_folder(articles, tmp_path):
    """A link to a file elsewhere is refused, one to a file here is an article, and a link to a folder is said not to be followed."""
    (tmp_path / "secret.md").write_text(TITLE)
    (tmp_path / "elsewhere").mkdir()
    articles.add("good", "Good article")
    (articles.folder / "out.md").symlink_to(tmp_path / "secret.md")
    (articles.folder / "in.md").symlink_to(articles.folder / "good.md")
    (articles.folder / "more").symlink_to(tmp_path / "elsewhere")
    reading = read_folder(articles.folder)
    assert [article.slug for article in reading.articles] == ["good", "in"]
    assert [str(problem) for problem in reading.problems] == [
        "more:1: a link to a folder is not followed",
        "out.md:1: a link that leads out of the folder of articles",
    ]


def test_names_that_are_not_utf8_are_refused(articles, index, embedder):
    """They can be neither printed nor stored as they are."""
    folder = os.fsencode(articles.folder) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/odd.md", "wb") as file:
        file.write(b"---\ntitle: A\ncategory: coffee\n---\n")
    reading = read_folder(articles.folder)
    assert reading.articles == ()
    (problem,) = reading.problems
    assert str(problem).encode("utf-8")
    assert "not UTF-8" in problem.reason
    build(reading, index, embedder, aim=Aim(), now=NOW)


def test_a_broken_file_does_not_fill_the_report(articles):
    """Twenty problems and a word that there are more."""
    articles.write("odd.md", "---\ntitle: A\n" + "".join(f"field{number}: x\n" for number in range(400)) + "---\n")
    problems = read_folder(articles.folder).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert "more of the kind" in problems[-1].reason


def test_many_files_of_one_slug_are_all_refused_and_briefly(articles):
    """Each names some of the others."""
    for number in range(300):
        articles.write(f"c{number}/same.md", TITLE)
    reading = read_folder(articles.folder)
    assert reading.articles == ()
    assert len(reading.problems) == 300
    assert all("and 294 more" in problem.reason for problem in reading.problems)


def test_fifty_bad_files_do_not_hold_up_the_others(articles, live, clock):
    """All others are live at the next look, within 2 s of processor time, and every bad one is reported."""
    live.follow()
    good = live.searcher.loaded.rows.articles
    bad = list(REFUSED.values())
    for number in range(50):
        articles.write(f"bad/bad-{number}.md", bad[number % len(bad)][0])
    articles.add("one-more", "One more article")
    started = time.process_time()
    live.follow()
    assert time.process_time() - started < 2
    assert live.searcher.loaded.rows.articles == good + 1
    assert live.problems == 50


@pytest.mark.parametrize("length", [10_000, 1_000_000])
@pytest.mark.parametrize("unit", ["track my parcel ", "x", "🙂", "\u0301", "1 "])
def test_an_endless_question_is_cut_and_answered(searcher, length, unit):
    """In a sane time."""
    started = time.process_time()
    answer = searcher.search((unit * length)[:length], 3)
    assert time.process_time() - started < 0.5
    assert answer.generation == searcher.loaded.name
    if unit == "track my parcel ":
        assert answer.hits[0].slug == "where-is-my-order"
