"""Articles and phrasings that stand in each other's way: the same, nearly the same, copied, or not found by their own title."""

from __future__ import annotations

from datetime import date, datetime, timezone

import numpy as np
import pytest

from knowledge_base.aim import Aim
from knowledge_base.building import build
from knowledge_base.checking import check
from knowledge_base.holding_out import open_generation
from knowledge_base.lint import shelve
from knowledge_base.lint_likeness import entries, near_spelling
from knowledge_base.reading import read_folder

NOW = datetime(2026, 11, 21, tzinfo=timezone.utc)
LONG = " ".join(f"word{number}" for number in range(60))


class SenseEmbedder:
    """Knows which texts mean the same: one direction for each sense named in them, such as ``(s7)``; all else points a way of its own."""

    checksum = "sense"
    dimensions = 128

    def embed(self, texts):
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            sense = next((word for word in text.replace("(", " ").replace(")", " ").split() if word[:1] == "s" and word[1:].isdigit()), "")
            if sense:
                vectors[row, int(sense[1:])] = 1
            else:
                own = np.random.default_rng(sum(text.encode())).normal(size=self.dimensions)
                vectors[row] = own / np.linalg.norm(own)
        return vectors


@pytest.fixture
def findings(articles):
    """What `check` finds without an index."""
    return lambda: [str(found) for found in check(read_folder(articles.folder), articles.folder, today=date(2026, 11, 21))]


@pytest.fixture
def by_meaning(articles, index):
    """What `check` finds with an index made by an embedder."""

    def found(embedder) -> list[str]:
        reading = read_folder(articles.folder)
        built = build(reading, index, embedder, aim=Aim(), now=NOW)
        opened = open_generation(index / built.generation, embedder)
        return [str(one) for one in check(reading, articles.folder, today=NOW.date(), opened=opened)]

    return found


def test_the_same_phrasing_in_two_articles_is_an_error_at_both(articles, findings):
    """However it is spelt with signs and capitals; what nobody can find - drafts, notes for staff - does not count."""
    articles.add("a", "Bills", "where is my bill", "WHAT is this fee?", body="One.")
    articles.add("b", "Fees", "what is this fee", body="Two.")
    articles.add("c", "Draft", "where is my bill", body="Three.", status="draft")
    articles.add("d", "Notes", "where is my bill", body="Four.", audience="internal")
    assert findings() == [
        "a.md:5: the question 'WHAT is this fee?' stands in another article, too: b.md:4",
        "b.md:4: the question 'what is this fee' stands in another article, too: a.md:5",
    ]


def test_a_title_is_a_phrasing_too(articles, findings):
    """Of another article, or of two."""
    articles.add("a", "Where is my bill?", "invoice please", body="One.")
    articles.add("b", "Fees", "where is my bill", body="Two.")
    articles.add("c", "fees", body="Three.")
    assert findings() == [
        "a.md:2: the title 'Where is my bill?' stands in another article, too: b.md:4",
        "b.md:2: the title 'Fees' stands in another article, too: c.md:2",
        "b.md:4: the question 'where is my bill' stands in another article, too: a.md:2",
        "c.md:2: the title 'fees' stands in another article, too: b.md:2",
    ]


def test_a_phrasing_twice_in_one_article_is_a_warning(articles, findings):
    """It does no harm, and no good either; one's own title as a question is the same."""
    articles.add("a", "Bills", "where is my bill", "Where is my bill?", "bills", body="One.")
    assert findings() == ["a.md:5: warning: the question 'Where is my bill?' stands in this article twice: line 4"]


def test_phrasings_of_signs_alone_are_told_apart(articles, findings):
    """They have no words to compare."""
    articles.add("a", "Bills", "???", body="One.")
    articles.add("b", "Fees", "!!!", body="Two.")
    assert findings() == []


def test_phrasings_spelt_nearly_alike_are_a_warning_with_both_places(articles, findings):
    """One finding a pair, at the later place; other words in common are not enough."""
    articles.add("a", "Bills", "why did you charge me twice for one order", "cancel my subscription today", body="One.")
    articles.add("b", "Fees", "why did you charged me twice for one order", "change my subscription today", body="Two.")
    assert findings() == [
        "b.md:4: warning: the question 'why did you charged me twice for one order' is nearly the question "
        "'why did you charge me twice for one order' of a.md:4: which of the two should answer?"
    ]


def test_near_pairs_are_between_articles(articles):
    """Within one article phrasings may be as alike as they like."""
    articles.add("a", "Bills", "why did you charge me twice for one order", "why did you charged me twice for one order", body="One.")
    articles.add("b", "Fees", body="Two.")
    assert list(near_spelling(entries(shelve(read_folder(articles.folder), articles.folder)))) == []


def test_an_article_that_holds_the_text_of_another_is_a_warning(articles, findings):
    """When half of the shorter one is copied; a paragraph of the house that stands in many is nobody's."""
    articles.add("a", "First", body=LONG)
    articles.add("b", "Second", body=LONG + " and a little more of something else")
    articles.add("c", "Third", body="Nothing here is like the others. " + " ".join(f"own{number}" for number in range(60)))
    assert findings() == ["b.md:1: warning: 100% of the shorter text stands both here and in a.md:1: search cannot choose between copies"]


def test_set_phrases_and_short_texts_are_no_copies(articles, findings):
    """A closing paragraph in a dozen articles; two articles of one line."""
    for number in range(12):
        articles.add(f"a{number}", f"Topic {number * 7}", body=f"own{number} {LONG}")
    articles.add("x", "Bills", body="Ask a person in this chat.")
    articles.add("y", "Fees", body="Ask a person in this chat.")
    assert findings() == []


def test_phrasings_that_mean_the_same_are_a_warning(articles, by_meaning):
    """Only an index can tell; a pair that is also spelt alike is said once."""
    articles.add("a", "Bills", "invoice wanted (s7)", "alpha beta gamma (s9)", body="One.")
    articles.add("b", "Fees", "where do you put the receipt (s7)", "alpha beta gammas (s9)", body="Two.")
    found = by_meaning(SenseEmbedder())
    assert [line for line in found if ":4:" in line] == [
        "b.md:4: warning: the question 'where do you put the receipt (s7)' is nearly the question 'invoice wanted (s7)' of a.md:4: "
        "which of the two should answer?"
    ]
    assert len([line for line in found if ":5:" in line]) == 1


def test_articles_that_say_the_same_in_other_words_are_a_warning(articles, by_meaning):
    """All of one must be found in the other, and the other way round."""
    articles.add("a", "Bills", body="## One\n\nAlpha (s7).\n\n## Two\n\nBeta (s8).")
    articles.add("b", "Fees", body="## Three\n\nGamma (s8).\n\n## Four\n\nDelta (s7).")
    articles.add("c", "Parts", body="## Five\n\nEpsilon (s7).\n\n## Six\n\nZeta (s9).")
    found = [line for line in by_meaning(SenseEmbedder()) if "says nearly" in line]
    assert found == ["b.md:1: warning: the article says nearly what a.md:1 says (likeness 1.00): search cannot choose between them"]


def test_an_article_that_its_own_title_does_not_find_is_an_error(articles, by_meaning, embedder):
    """Another one that says the same many times over comes first for it."""
    articles.add("a", "Late parcel (s7)", body="Text (s30).")
    articles.add("b", "Lost things", *(f"thing{number} (s7)" for number in range(12)), body="Text (s7).")
    articles.add("c", "Returns", body="Text.")
    titles = [line for line in by_meaning(SenseEmbedder()) if "own title" in line]
    assert titles == ["a.md:2: the article is not found by its own title: 'b' comes first"]


def test_a_sound_shop_is_found_by_its_titles(shop, by_meaning, embedder):
    """And nothing in it means the same."""
    assert [line for line in by_meaning(embedder) if "warning" not in line] == []
