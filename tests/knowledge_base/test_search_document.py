"""docs/search.md says what is so: its options are those of the commands, its numbers those of the code."""

from __future__ import annotations

import argparse
import json
import re

import pytest

from kit.settings import ROOT
from knowledge_base import (
    building,
    calibration,
    checking_command,
    cutting,
    embedding,
    front_matter,
    head,
    live,
    low_rank,
    question_report,
    ranking,
    reading,
    searching,
    serving,
    support_training,
    testing_command,
    together,
    training,
    wire,
)
from knowledge_base.bounded_http import ANSWER_LIMIT_BYTES, CONNECT_TIMEOUT_S

TEXT = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
DOCUMENT = " ".join(TEXT.split())
KIB = 1024
# Numbers that the document writes as words.
IN_WORDS = {0.5: "half", 0.6: "six tenths", 0.9: "nine"}
SHARES = [f"{share:g}" for share in training.LEXICAL_SHARES]

SAID = {
    "passages": f"cut between its blocks at {cutting.PASSAGE_WORDS} words",
    "answer": f"up to {front_matter.MAX_ANSWER_WORDS} words that answer by themselves",
    "adapter": f"rank {low_rank.RANK}, {support_training.COURSE.steps} steps",
    "strength of the adapter": f"{IN_WORDS[support_training.STRENGTH]} of their strength is merged",
    "shares": f"{', '.join(SHARES[:-1])} or {SHARES[-1]}, whichever finds most held-out phrasings",
    "share unasked": f"{training.LEXICAL_SHARE_UNASKED:g} where there is no phrasing to ask",
    "kernel": f"exp({head.WIDTH:g} (cosine − 1))",
    "kernel's numbers": f"kernel's width {head.WIDTH:g}, noise {head.NOISE:g}",
    "landmarks": f"beyond {head.LANDMARKS:,} rows as many *landmarks*",
    "hurried landmarks": f"a head on {training.HURRIED_LANDMARKS} landmarks",
    "centre": f"{IN_WORDS[ranking.CENTRE_SHARE]} of the cosine with the mean direction",
    "far messages": f"{len(building.read_far_messages())} messages that no article answers",
    "trust": f"{IN_WORDS[calibration.DISTRUSTED]} of the held-out phrasings or fewer",
    "full trust": f"{IN_WORDS[calibration.TRUSTED]} in ten on they are heard in full",
    "say": f"trust × n / (n + {calibration.PRIOR_QUESTIONS})",
    "wanted precision": f"{IN_WORDS[calibration.USUAL_AIM.answers_right]} answers in ten are right",
    "upper cut-off": f"between {calibration.LOWEST_CUTOFF} and {calibration.HIGHEST_CUTOFF}",
    "usual cut-offs": (
        f"| {calibration.ANSWER_UNASKED} without phrasings, {calibration.ANSWER_STEP} less for each an article has, at least {calibration.ANSWER} |"
    ),
    "usual lower": f"| {calibration.OFFER} |",
    "following": f"every {serving.POLL_S:g} s",
    "settling": f"quiet for {live.QUIET_S:g} s",
    "failed builds": f"tried again every {live.RETRY_S:g} s",
    "memory": f"its last {searching.REMEMBERED} questions (up to {searching.REMEMBERED_LENGTH} characters each)",
    "together": f"up to {together.MOST} questions in a batch",
    "batches": f"at most {embedding.PIECES_TOGETHER:,} word pieces",
    "question": f"cut at {searching.MAX_QUESTION:,} characters",
    "files": f"at most {reading.MAX_BYTES // KIB} KiB in UTF-8",
    "front matter": f"at most {front_matter.MAX_FRONT_MATTER // KIB} KiB, {front_matter.MAX_VALUES:,} values and {front_matter.MAX_DEPTH} levels",
    "article": f"at most {cutting.MAX_PASSAGES} passages and {front_matter.MAX_QUESTIONS} questions of {front_matter.MAX_QUESTION} characters",
    "problems": f"at most {front_matter.MAX_PROBLEMS} problems",
    "calls": f"{CONNECT_TIMEOUT_S:g} s to a connection and {ANSWER_LIMIT_BYTES // KIB**2} MiB",
    "body": f"reads at most {wire.MAX_BODY // KIB} KiB of it",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_a_number_is_that_of_the_code(said: str) -> None:
    """Whoever changes the code finds the sentence that speaks of it."""
    assert said.lower() in DOCUMENT.lower()


def options_of(command) -> set[str]:
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


def test_the_table_of_options_is_that_of_the_command() -> None:
    """Every option of `test`, and none that is gone; those of `check` stand in its text."""
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `--")]
    assert set(re.findall(r"--[a-z-]+", " ".join(rows))) == options_of(testing_command)
    assert options_of(checking_command) <= set(re.findall(r"--[a-z-]+", DOCUMENT))


def test_the_questions_of_the_adapter_are_as_many_as_told() -> None:
    """The businesses, their questions, and the messages that none of them answers."""
    files = sorted(support_training.QUESTIONS.glob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    asked, alone = sum(len(line.get("questions", ())) for line in lines), sum("question" in line for line in lines)
    assert f"{len({file.name.split('.')[0] for file in files})} made-up businesses" in DOCUMENT
    assert f"{asked:,} questions, and {alone:,} messages that none of these articles answers" in DOCUMENT


def test_figures_that_a_floor_may_name_are_told() -> None:
    """All five, in the table of options."""
    run = question_report.Run(None, (), (), None, None, ())
    assert all(f"`{name}`" in DOCUMENT or f'"{name}"' in DOCUMENT for name in question_report.figures(run))
