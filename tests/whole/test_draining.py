"""The web process of a running kit is asked to end under fifty live chats, and started again."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from kit.processes import RunningKit
from tests.whole.people import Customer
from tests.widget.draining import Chat, counted, wait_for_turns

CHATS = 50
BETWEEN_MESSAGES_S = 3.0
UNDER_LOAD_S = 4.0


@pytest.mark.timeout(180)
def test_web_is_stopped_and_started_under_fifty_chats_and_nobody_notices_more_than_a_pause(kit: RunningKit, database: Path) -> None:
    """No answer 5xx after the signal, every stream told, all that was acknowledged is stored once, every turn ends; within 20 s, without force."""
    stopping = threading.Event()
    people = [Customer(kit.url) for _ in range(CHATS)]
    chats = [Chat(kit.settings.port, one.token, one.id, stopping, BETWEEN_MESSAGES_S) for one in people]
    threads = [threading.Thread(target=work, daemon=True) for chat in chats for work in (chat.watch, chat.write)]
    for thread in threads:
        thread.start()
    time.sleep(UNDER_LOAD_S)
    stopping.set()
    began = time.monotonic()
    kit.control.stop("web")
    stopped_s = time.monotonic() - began
    for thread in threads:
        thread.join(30)
    kit.control.start("web")
    kit.wait_ready(60)
    outcome = counted(database, chats, 0, stopped_s, wait_for_turns(database), 0.0)
    assert outcome.stopped_s < 20
    assert outcome.errors == 0, outcome.late_statuses
    assert outcome.streams_told == CHATS
    assert outcome.acknowledged >= CHATS
    assert (outcome.lost, outcome.doubled, outcome.turns_unfinished) == (0, 0, 0)
    said = (kit.var / "log" / "supervisord.log").read_text(encoding="utf-8")
    assert "killing 'web'" not in said
