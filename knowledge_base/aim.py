"""What the owner wants of the answers: the part of calibration that no article can say."""

from __future__ import annotations

from dataclasses import dataclass

from kit.settings import Settings


@dataclass(frozen=True)
class Aim:
    """``no_answer_share`` of all messages have no article that answers them; of the answers given, ``answers_right`` are to be right."""

    no_answer_share: float = 0.3
    answers_right: float = 0.9


def aim_of(settings: Settings) -> Aim:
    """As it is set."""
    return Aim(settings.no_answer_share, settings.answers_right)
