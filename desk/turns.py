"""Runs the turns: claims them one at a time per conversation, and commits what they come to if it may still be said."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from desk import lifecycle
from desk.answering import Answering, TryAgain
from desk.fallback import CANCEL_HANDOFF
from desk.journal import Journal
from desk.model import Conversation, Notice, Turn, TurnResult
from desk.store import conversations as rows
from desk.store import turns as turn_rows
from desk.tokens import Tokens
from kit.failpoints import reach
from kit.logs import told
from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.exceptions import StoreError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=2.5)
"""How long a turn stays with a runner that has fallen silent; a living one renews in time."""
TICK_S = 0.1
RECOVERY_EVERY_S = 0.5
RENEW_EVERY_S = 0.8
STOP_S = 5.0
"""How long the turns under way may take when the end is asked for; Rasa answers in tens of milliseconds, or hangs."""
WORKERS = 24
"""Threads that wait for Rasa; a turn takes tens of milliseconds, a hanging Rasa holds one for seconds."""

Notify = Callable[[Notice], None]


class TurnRunner:
    """Takes turns from acceptance to outcome. Several may run on one database, in one process or many: claims keep them apart."""

    def __init__(self, database: Database, answering: Answering, journal: Journal, *, tokens: Tokens, clock: Clock, notify: Notify) -> None:
        self._database = database
        self._answering = answering
        self._journal = journal
        self._tokens = tokens
        self._clock = clock
        self._notify = notify
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="turn")
        self._running: dict[tuple[str, int], Turn] = {}
        self._later: list[tuple[float, int, Turn, int]] = []
        self._at_work: set[Future[None]] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="turn-ticker", daemon=True)

    def start(self) -> None:
        """Begin looking after turns, those cut off by an earlier crash first."""
        self._ticker.start()

    def stop(self, within_s: float = STOP_S) -> bool:
        """Finish what is being worked on within this time; hand back the rest, which the next start takes up. True if a thread still hangs."""
        self._stop.set()
        if self._ticker.is_alive():
            self._ticker.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        hanging = wait(set(self._at_work), timeout=within_s).not_done
        with self._lock:
            left = list(self._running.values())
        if left:
            log.info("turns are handed back", extra=told(turns=len(left)))
            try:
                with self._database.writing() as connection:
                    turn_rows.renew(connection, left, self._clock())  # a lease that ends now
            except StoreError as failure:  # it runs out by itself
                log.warning("turns could not be handed back: %s", failure)
        return bool(hanging)

    def run(self, turn: Turn, attempt: int = 0) -> None:
        """Work on a claimed turn in a thread of the pool."""
        with self._lock:
            self._running[turn.conversation_id, turn.seq] = turn
        try:
            work = self._pool.submit(self._work, turn, attempt)
        except RuntimeError:  # the pool is shut down; the turn is handed back
            return
        self._at_work.add(work)
        work.add_done_callback(self._ended)

    def claim(self, conversation_id: str) -> None:
        """Take up a conversation's next turn, if nobody has it."""
        now = self._clock()
        with self._database.writing() as connection:
            turn = turn_rows.claim_next(connection, conversation_id, now, now + LEASE)
        if turn is not None:
            self.run(turn)

    def _work(self, turn: Turn, attempt: int) -> None:
        result = None
        reach("turn.taken")
        try:
            if attempt == 0:
                self._notify(Notice(conversation_id=turn.conversation_id, kind="typing", data={"author": "bot", "name": None}))
            result = self._answering.answer(turn, attempt)
            if isinstance(result, TryAgain):
                with self._lock:
                    heapq.heappush(self._later, (time.monotonic() + result.pause_s, id(turn), turn, attempt + 1))
                return
            reach("turn.answered")
            self._commit(turn, result)
        except StoreError as failure:  # the lease runs out, and the turn is taken up again
            log.warning("turn %s/%d was not stored: %s", turn.conversation_id, turn.seq, failure)
        finally:
            if not isinstance(result, TryAgain):  # whatever went wrong: a turn kept here would be renewed for ever and never end
                self._forget(turn)

    def _ended(self, work: Future[None]) -> None:
        self._at_work.discard(work)
        _report(work)

    def _forget(self, turn: Turn) -> None:
        with self._lock:
            self._running.pop((turn.conversation_id, turn.seq), None)

    def _commit(self, turn: Turn, result: TurnResult) -> None:
        now = self._clock()
        with self._database.writing() as connection:
            conversation = rows.find_conversation(connection, turn.conversation_id)
            assert conversation is not None
            dropped = None if lifecycle.bot_may_speak(conversation.owner, result.outcome) else f"owner_{conversation.owner}"
            if dropped:
                result = replace(result, outcome=lifecycle.outcome_of_dropped(conversation.owner), handoff=None)
            if not turn_rows.finish(connection, turn, result, now, dropped):
                return
            if not dropped:
                self._speak(connection, conversation, turn, result)
            following = turn_rows.claim_next(connection, turn.conversation_id, now, now + LEASE)
            reach("turn.stored")
        reach("turn.committed")
        self._forget(turn)
        self._notify(Notice(conversation_id=turn.conversation_id))
        if following is not None:
            self.run(following)

    def _speak(self, connection: Connection, conversation: Conversation, turn: Turn, result: TurnResult) -> None:
        latency_ms = int((self._clock() - turn.accepted_at).total_seconds() * 1000)
        for reply in result.replies:
            data = {
                "author": "bot",
                "text": reply.text,
                "body": reply.body,
                "choices": list(reply.choices),
                "sources": [self._referring(source, conversation.id) for source in reply.sources],
                "outcome": reply.outcome,
            }
            self._journal.message(connection, conversation, data, "bot", latency_ms=latency_ms)
        rows.set_state(connection, conversation.id, result.state)
        if result.handoff and conversation.owner == "bot":
            self._journal.change_owner(connection, conversation, "queued", result.handoff, "bot")
        elif conversation.owner == "queued" and turn.input == CANCEL_HANDOFF:
            self._journal.change_owner(connection, conversation, "bot", "customer_cancelled", "customer")
        elif conversation.owner == "queued" and result.verdict_solved:
            self._journal.change_owner(connection, conversation, "bot", "solved_meanwhile", "customer")

    def _referring(self, source: Mapping[str, Any], conversation_id: str) -> dict[str, Any]:
        path, mark, anchor = str(source["url"]).partition("#")
        return {**source, "url": f"{path}?ref={self._tokens.reference(conversation_id)}{mark}{anchor}"}

    def _tick(self) -> None:
        recover_at = renew_at = 0.0
        while not self._stop.wait(TICK_S):
            self._resume_due()
            now = time.monotonic()
            try:
                if now >= renew_at:
                    renew_at = now + RENEW_EVERY_S
                    self._renew()
                if now >= recover_at:
                    recover_at = now + RECOVERY_EVERY_S
                    self._recover()
            except StoreError as failure:
                log.warning("turns cannot be looked after: %s", failure)

    def _resume_due(self) -> None:
        while True:
            with self._lock:
                if not self._later or self._later[0][0] > time.monotonic():
                    return
                _, _, turn, attempt = heapq.heappop(self._later)
            self.run(turn, attempt)

    def _renew(self) -> None:
        """Renew the leases of turns that have been here for some time; most are done before the first renewal."""
        now = self._clock()
        with self._lock:
            long_running = [turn for turn in self._running.values() if now - turn.accepted_at > LEASE / 3]
        if long_running:
            with self._database.writing() as connection:
                turn_rows.renew(connection, long_running, now + LEASE)

    def _recover(self) -> None:
        with self._database.reading() as connection:
            now = self._clock()
            waiting = turn_rows.claimable(connection, now, now + LEASE)
        with self._lock:
            mine = {conversation_id for conversation_id, _ in self._running}
        for conversation_id in waiting:
            if conversation_id not in mine:
                self.claim(conversation_id)


def _report(work: Future[None]) -> None:
    """An error that nobody foresaw goes to the log; the turn's lease runs out, and it is taken up again."""
    if not work.cancelled() and (failure := work.exception()) is not None:
        log.error("a turn broke off", exc_info=failure)
