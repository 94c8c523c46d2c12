"""The command `check`: what it prints where, when it ends with 1, and what it does without a model or an index."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kit.settings import read_settings
from knowledge_base.aim import Aim
from knowledge_base.building import build
from knowledge_base.checking import check
from knowledge_base.checking_command import NO_PHRASINGS, NO_TABLE, WITHOUT_MODEL, add_arguments, run_check
from knowledge_base.exceptions import EmbeddingUnusable
from knowledge_base.index_files import load_index
from knowledge_base.reading import read_folder

OWN = Path(__file__).resolve().parents[2] / "knowledge_base" / "articles"


class Desk:
    """An editor's command line over a folder, with an embedding model or without."""

    def __init__(self, articles, index: Path, embedder, capsys) -> None:
        self.embedder, self._capsys = embedder, capsys
        self.settings = replace(read_settings({}), articles=articles.folder, var=index.parent)

    def checks(self, *arguments: object, model: bool = True) -> tuple[int, list[str], list[str]]:
        """Exit code, lines on standard output, lines beside."""
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        code = run_check(parser.parse_args([str(one) for one in arguments]), self.settings, self._load if model else self._nothing)
        said = self._capsys.readouterr()
        return code, said.out.splitlines(), said.err.splitlines()

    def _load(self):
        return self.embedder

    def _nothing(self):
        raise EmbeddingUnusable("there is none")


@pytest.fixture
def desk(articles, index, embedder, capsys) -> Desk:
    return Desk(articles, index, embedder, capsys)


def test_errors_end_with_one_and_warnings_only_when_strict(articles, desk):
    """So that a draft with a gap does not stop the others."""
    articles.add("a", "Bills", body="## Two\n\n#### Four")
    warning = "a.md:7: warning: the heading 'Four' is of level 4 below one of level 2: wanted ###"
    assert desk.checks() == (0, [warning], [NO_TABLE, "1 article, 0 errors, 1 warning"])
    assert desk.checks("--strict")[0] == 1
    articles.add("b", "Fees", body="[x](nobody)")
    code, out, beside = desk.checks()
    assert (code, out[1:]) == (1, ["b.md:5: the link leads to the article 'nobody', which does not exist"])
    assert beside[-1] == "2 articles, 1 error, 1 warning"


def test_without_a_model_one_line_says_what_was_left_out(articles, desk):
    """Everything else is checked all the same."""
    articles.add("a", "Bills", "late fee", body="[x](nobody)")
    articles.add("b", "Fees", "Late fee", body="Text.")
    code, out, beside = desk.checks(model=False)
    assert code == 1
    assert [line.split(": ")[0] for line in out] == ["a.md:4", "a.md:7", "b.md:4"]
    assert beside == [WITHOUT_MODEL, NO_TABLE, "2 articles, 3 errors, 0 warnings"]


def test_the_table_of_the_live_index_is_printed(shop, desk, built, index):
    """Level, share answered, right and wrong of these, as the manifest holds it; and both cut-offs."""
    calibration = load_index(index / built().generation, desk.embedder.checksum).settled.calibration
    code, out, _ = desk.checks()
    lines = [line for line in out if not line.startswith(("network", "orders", "returns"))]
    assert lines[0] == "how sure search is, by 8 phrasings of the live index, each asked as if not written down:"
    assert lines[1].split("   ") == ["  sure from", "messages answered", "right of these", "wrong of these"]
    level, answered, right = calibration.table[5]
    assert lines[7].split() == [f"{level:.2f}", f"{answered:.1%}", f"{right:.1%}", f"{1 - right:.1%}"]
    assert len(lines) == 2 + len(calibration.table) + 1
    assert lines[-1].startswith(f"  from {calibration.cutoffs.answer:.2f} on the bot answers, from {calibration.cutoffs.offer:.2f} on it offers")
    assert code == 0


def test_an_index_without_phrasings_has_no_table(articles, desk, built):
    """Said beside, so that what is printed stays findings."""
    articles.add("a", "Bills", body="Text.")
    articles.add("b", "Fees", body="Other.")
    built()
    assert desk.checks() == (0, [], [NO_PHRASINGS, "2 articles, 0 errors, 0 warnings"])


def test_a_machine_reads_one_object(shop, desk, built):
    """Findings with file, line, reason and weight; the table beside."""
    shop.add("orders/bad", "Bad", body="[x](nobody)")
    built()
    code, out, _ = desk.checks("--json")
    form = json.loads("\n".join(out))
    assert code == 1
    reason = "the link leads to the article 'nobody', which does not exist"
    assert {"path": "orders/bad.md", "line": 5, "reason": reason, "is_error": True} in form["findings"]
    assert set(form["calibration"]) == {"table", "cutoffs", "questions"}


def test_an_empty_or_missing_folder_is_an_error(articles, desk, tmp_path):
    """Not a shop without faults."""
    assert desk.checks()[0] == 1
    code, out, _ = desk.checks("--articles", tmp_path / "gone")
    assert (code, out) == (1, [".:1: there is no such folder"])


def test_intricate_markdown_is_not_parsed_a_second_time(articles, desk):
    """The parser without a limit would take minutes for it."""
    articles.write("a.md", "---\ntitle: A\n---\n" + "[a](" * 16_384)
    code, out, _ = desk.checks()
    assert (code, out) == (1, ["a.md:4: the Markdown is too intricate and is shown as plain text"])


def test_our_own_articles_are_clean():
    """On the day they were written, without the model; `make test` runs the command with it."""
    assert check(read_folder(OWN), OWN, today=datetime(2026, 11, 21, tzinfo=timezone.utc).date()) == ()


def test_reviews_of_our_own_articles_come_due(articles):
    """The check of our articles can fail: two years on all of them are overdue."""
    found = check(read_folder(OWN), OWN, today=datetime(2028, 11, 21, tzinfo=timezone.utc).date())
    assert {one.reason.split(" since")[0] for one in found} == {"the review is overdue"}
    assert len(found) == len({one.path for one in found}) >= 100
    assert not any(one.is_error for one in found)


def test_checking_builds_beside_and_not_live(shop, desk, index, embedder):
    """The folder that is checked may hold what must not be live yet."""
    reading = read_folder(shop.folder)
    live = build(reading, index, embedder, aim=Aim(), now=reading.articles[0].updated).generation
    shop.add("orders/next", "Something new altogether", body="Text.")
    desk.checks()
    assert [path.name for path in index.iterdir() if path.is_dir()] == [live]
