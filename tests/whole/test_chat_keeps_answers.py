"""The chat does not lose what search finds, and uses what was said before; the shop's questions, asked of the running kit."""

from __future__ import annotations

import pytest

from benchmarks.chat_quality import LEAST_KEPT, measure, report, sample
from benchmarks.follow_ups import PAIRS, read_pairs
from benchmarks.follow_ups import measure as measure_pairs
from benchmarks.follow_ups import report as report_pairs
from kit.processes import RunningKit
from kit.settings import ROOT
from knowledge_base.evaluation import read_questions

QUESTIONS = ROOT / "tests" / "knowledge_base" / "questions.jsonl"
ASKED = 100

pytestmark = pytest.mark.timeout(180)


def test_what_search_finds_the_chat_shows(kit: RunningKit) -> None:
    """Of the questions that search alone answers right, the chat answers 98 in 100 with the same article, and offers are hardly ever lost."""
    kept = measure(kit, sample(read_questions(QUESTIONS), ASKED))
    told = "\n".join(report(kept))
    assert kept.questions == ASKED
    assert kept.found >= 10, told
    assert kept.share >= LEAST_KEPT, told
    assert kept.listed_kept >= 0.95 * kept.listed, told


def test_what_was_said_before_is_used(kit: RunningKit) -> None:
    """Follow-ups find their article far more often than alone, hardly any finds a wrong one, and a new subject stays what it is alone."""
    heard = measure_pairs(kit, read_pairs(PAIRS)[::2])
    told = "\n".join(report_pairs(heard))
    after, alone = ([getattr(one, when) for one in heard if not one.pair.new] for when in ("after", "alone"))
    assert after.count("right") + after.count("offered") >= 0.8 * len(after), told
    assert after.count("right") >= alone.count("right") + 0.25 * len(after), told
    assert after.count("wrong") <= min(alone.count("wrong"), 0.12 * len(after)), told
    changed = [one for one in heard if one.pair.new and one.alone == "right" and one.after != "right"]
    assert not changed, told
