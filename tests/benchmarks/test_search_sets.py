"""Public sets become articles and questions, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.search.sets import BANKING, CUREKART, SEEDS, public_cases, set_name
from benchmarks.search.vectors import embed_once
from knowledge_base.reading import read_folder

LABELS = ("Refund_not_showing_up", "card_arrival", "lost_card")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve training questions a label in the one, two in the other, where half of the messages have no answer."""
    folder = tmp_path / "data"
    trained = [(f"question {number} about  {label}", label) for label in LABELS for number in range(12)]
    write(folder / "banking77" / "train.csv", "text,category", trained)
    write(folder / "banking77" / "test.csv", "text,category", [(f"asking of {label}", label) for label in LABELS])
    write(folder / "curekart" / "train.csv", "sentence,label", [("where is it?", "ORDER_STATUS"), ("cancel it", "CANCEL")])
    asked = [("where is my order", "ORDER_STATUS"), ("hello", "NO_NODES_DETECTED"), ("never trained", "UNKNOWN")]
    write(folder / "curekart" / "test.csv", "sentence,label", asked)
    return folder


def write(path: Path, heading: str, rows: list[tuple[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([heading, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")


def test_each_draw_is_a_case(data: Path, tmp_path: Path):
    """Four numbers of phrasings three times, and curekart once with all of them."""
    cases = public_cases(data, tmp_path / "kb")
    names = [set_name(BANKING.name, number) for number in (1, 3, 5, 10) for _ in SEEDS]
    assert [case.name for case in cases] == [*names, CUREKART.name]
    counts = [len(article.questions) for case in cases for article in read_folder(case.articles).articles]
    assert counts == [number for number in (1, 3, 5, 10) for _ in range(9)] + [1, 1]


def test_draws_differ_and_repeat(data: Path, tmp_path: Path):
    """Another seed, other phrasings; the same seed, the same."""
    first, again = ([read_folder(case.articles).articles for case in public_cases(data, tmp_path / name)] for name in "ab")
    assert [[one.questions for one in articles] for articles in first] == [[one.questions for one in articles] for articles in again]
    assert first[0][0].questions != first[1][0].questions


def test_questions_without_an_article(data: Path, tmp_path: Path):
    """What was labelled as having no answer has none; a label that nobody trained is left out."""
    case = public_cases(data, tmp_path / "kb")[-1]
    assert [(one.text, one.article) for one in case.questions] == [("where is my order", "order-status"), ("hello", None)]


def test_a_trial_asks_fewer(data: Path, tmp_path: Path):
    """Fewer draws and fewer questions, spread over the file."""
    cases = public_cases(data, tmp_path / "kb", seeds=1, limit=2)
    assert len(cases) == 5
    assert [len(case.questions) for case in cases] == [2] * 5


def test_known_vectors_know_nothing_else(embedder):
    """A text that was not embedded before is an error, not a call of the model."""
    known = embed_once(embedder, ["a red lamp", "an order", "a red lamp"])
    assert (known.embed(["an order"])[0] == embedder.embed(["an order"])[0]).all()
    with pytest.raises(KeyError):
        known.embed(["another"])
    with pytest.raises(KeyError):
        known.only(["an order"]).embed(["a red lamp"])
