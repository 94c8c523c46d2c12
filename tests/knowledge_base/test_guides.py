"""Passages, steps of guides, and what `check` finds wrong with them."""

from __future__ import annotations

from datetime import date

from knowledge_base.checking import check
from knowledge_base.cutting import PASSAGE_WORDS, cut_passages, first_sentences, shortened
from knowledge_base.guides import steps_of
from knowledge_base.model import Choice
from knowledge_base.preparing import prepare
from knowledge_base.reading import read_folder
from knowledge_base.rendering import render


def reasons(articles) -> list[str]:
    findings = check(read_folder(articles.folder), articles.folder, today=date(2026, 11, 21))
    return [str(finding) for finding in findings if finding.is_error]


def test_a_section_is_a_passage():
    """Text before the first heading is one too; empty sections are none."""
    passages = cut_passages(render("Before.\n\n## One\n\nFirst.\n\n## Empty\n\n### Two\n\n- a\n- b\n"), "/help/x")
    assert [(passage.section, passage.anchor, passage.text) for passage in passages] == [
        ("", "", "Before."),
        ("One", "one", "First."),
        ("Two", "two", "a\nb"),
    ]
    assert passages[1].body == ({"el": "p", "children": [{"el": "text", "text": "First."}]},)


def test_a_long_section_is_cut_between_its_blocks():
    """No passage is longer than the model reads, unless one block alone is."""
    passages = cut_passages(render("## Long\n\n" + "\n\n".join("word " * 60 for _ in range(5))))
    assert [len(passage.text.split()) for passage in passages] == [120, 120, 60]
    assert max(len(passage.text.split()) for passage in passages) <= PASSAGE_WORDS
    assert {passage.anchor for passage in passages} == {"long"}


def test_an_endless_line_is_cut_and_many_sections_are_limited():
    """A megabyte of one word or thousands of headings stay bounded."""
    assert len(cut_passages(render("a" * 200_000))[0].text) == 2_000
    assert len(cut_passages(render("## a\n\nb\n\n" * 1_500))) == 200


def test_short_answers_end_at_a_sentence():
    """Or at a word, when the first sentence is too long."""
    assert first_sentences("One. Two!  Three?") == "One. Two! Three?"
    assert first_sentences("One. Two is longer.", 8) == "One."
    assert first_sentences("word " * 20, 12) == "word word…"
    assert shortened("a" * 20, 10) == "aaaaaaaaa…"


def test_the_answer_comes_first_and_the_passage_when_it_adds_something(shop):
    """Written answer, else the first sentences, else the title."""
    stored = {article.slug: prepare(article) for article in read_folder(shop.folder).articles}
    router = stored["router-red-light"]
    assert router.answer.startswith("Restart the router;")
    assert [node["children"][0]["text"] for node in router.passages[0].body] == [router.answer, "Works for every router."]
    tracking = stored["where-is-my-order"]
    assert tracking.answer == "Open tracking."
    assert [node["children"][0]["text"] for node in tracking.passages[0].body] == ["Open tracking."]
    shop.add("bare", "Bare title")
    bare = prepare(next(article for article in read_folder(shop.folder).articles if article.slug == "bare"))
    assert (bare.answer, bare.excerpt, bare.passages) == ("Bare title", "Bare title", ())


def test_steps_of_a_guide():
    """Sections that begin with Step; lower headings belong to them, other sections do not."""
    page = render(
        "Intro\n\n## Step 1: Look\n\nA.\n\n### Closely\n\nB.\n\n## Notes\n\nC.\n\n### More\n\nD.\n\n## Step 2 – Which?\n\n1. [Red](#step-1-look)\n"
    )
    first, second = steps_of(page)
    assert (first.id, first.title, first.text, first.choices) == ("step-1-look", "Look", "A.\nB.", ())
    assert (second.title, second.text, second.choices) == ("Which?", "", (Choice("Red", "step-1-look"),))


def test_only_lists_of_links_are_choices():
    """A list with other words stays text; links to articles may be slugs, files or addresses."""
    page = render("## Step 1\n\n- [Read this](b) first\n- a\n\n- [One](b)\n- [Two](../x/C.md)\n- [Three](/help/d#e)\n")
    (step,) = steps_of(page)
    assert step.choices == ()
    page = render("## Step 1\n\nText\n\n- [One](b)\n- [Two](../x/C.md)\n- [**Three**](/help/d#e)\n")
    (step,) = steps_of(page)
    assert step.choices == (Choice("One", "b"), Choice("Two", "c"), Choice("Three", "d"))
    assert step.text == "Text"
    assert step.title == "Step 1"


def test_a_sound_shop_has_no_problems(shop):
    """The guide of the example leads on from every step."""
    assert reasons(shop) == []


def test_faults_of_guides_are_found_with_their_lines(articles):
    """No steps; a target that does not exist; a step nobody reaches; a circle."""
    articles.add("empty", "Empty", kind="guide", body="Text.")
    articles.add("away", "Away", kind="guide", body="## Step 1\n\n- [A](#nowhere)\n- [B](no-article)\n- [C](away)\n- [D](empty)")
    articles.add("lost", "Lost", kind="guide", body="## Step 1\n\n- [A](empty)\n\n## Step 2\n\nNever read.")
    articles.add("ring", "Ring", kind="guide", body="## Step 1\n\nGo on.\n\n## Step 2\n\n- [Again](#step-1)")
    assert reasons(articles) == [
        "away.md:8: the link leads to '#nowhere', but this article has no such heading",
        "away.md:9: the link leads to the article 'no-article', which does not exist",
        "away.md:10: the choice 'C' leads to 'away', which is neither a step nor an article",
        "empty.md:5: a guide without steps: wanted sections that begin with '## Step'",
        "lost.md:10: no way leads to the step 'Step 2'",
        "ring.md:6: from the step 'Step 1' every way is a loop",
        "ring.md:10: from the step 'Step 2' every way is a loop",
    ]


def test_related_articles_must_exist_and_markdown_must_be_readable(articles):
    """Both are said with the file."""
    articles.add("a", "A", related="[gone]", body="[a](" * 16_384)
    assert reasons(articles) == [
        "a.md:3: the related article 'gone' does not exist",
        "a.md:5: the Markdown is too intricate and is shown as plain text",
    ]
