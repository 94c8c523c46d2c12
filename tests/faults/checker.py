"""The standing invariants, asked of a record and of the database after it. Pure: plain data in, violations out.

I1 what was acknowledged is stored once. I2 a conversation's numbers have no gap and no repeat, and each sender's own order holds. I3 whoever watches
ends with the same list as the database. I4 each message of a customer has one outcome, and says so. I5 nobody sees another conversation. I6 one owner
at a time, each change one event. I7 what went away came back by itself.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.record import FAILED, OK, Call, Record, digest
from tests.faults.snapshot import Snapshot

INVARIANTS = ("I1", "I2", "I3", "I4", "I5", "I6", "I7")
SPOKEN = frozenset({"answered", "offered_choices", "guide_step", "asked_again", "small_talk", "failed"})
"""Outcomes that come with words of the bot."""
CHANGES = {
    "bot": {"queued", "agent", "closed"},
    "queued": {"agent", "bot", "closed"},
    "agent": {"queued", "bot", "closed"},
    "closed": set(),
}


@dataclass(frozen=True)
class Violation:
    """A broken promise: which, and where it shows."""

    invariant: str
    what: str


def violations(record: Record, snapshot: Snapshot, *, replies_a_turn: int | None = None) -> list[Violation]:
    """Every way in which what happened breaks an invariant; ``replies_a_turn``: how many messages the bot says in a turn, where that is fixed."""
    found = [
        *(Violation("I1", what) for what in _acknowledged(record, snapshot)),
        *(Violation("I2", what) for what in _numbers(snapshot)),
        *(Violation("I2", what) for what in _order(record)),
        *_watched(record, snapshot),
        *(Violation("I4", what) for what in _outcomes(snapshot)),
        *(Violation("I4", what) for what in _replies(snapshot, replies_a_turn)),
        *(Violation("I6", what) for what in _owners(snapshot)),
        *(Violation("I6", what) for what in _takers(record, snapshot)),
        *(Violation("I7", what) for what in _recoveries(record)),
    ]
    return found


def _sender(call: Call) -> str:
    return "customer" if call.what == "say" else call.who


def _acknowledged(record: Record, snapshot: Snapshot) -> Iterator[str]:
    """I1: one row for each acknowledged message, with the number and the words that were acknowledged; no row for one that was refused for good."""
    if snapshot.integrity != "ok":
        yield f"the database is damaged: {snapshot.integrity}"
    stored = defaultdict(list)
    for event in snapshot.events:
        if event["client_id"] is not None:
            stored[event["conversation_id"], event["sender"], event["client_id"]].append(event)
    for key, events in stored.items():
        if len(events) > 1:
            yield f"{key} is stored {len(events)} times"
    said = defaultdict(list)
    for call in record.calls:
        if call.what in ("say", "reply"):
            said[call.conversation, _sender(call), call.client_id].append(call)
    for key, calls in said.items():
        yield from _message_stored(key, calls, stored.get(key, []))


def _message_stored(key: Any, calls: list[Call], events: list[dict[str, Any]]) -> Iterator[str]:
    acknowledged = [call for call in calls if call.outcome == OK]
    if not acknowledged:
        if events and all(call.outcome == FAILED and call.status not in (503, 429) for call in calls):
            yield f"{key} was refused and is stored"
        return
    if not events:
        yield f"{key} was acknowledged and is lost"
    elif {call.seq for call in acknowledged} != {events[0]["seq"]}:
        yield f"{key} was acknowledged as {sorted({call.seq for call in acknowledged})} and is stored as {events[0]['seq']}"
    elif {call.text for call in acknowledged} != {events[0]["data"].get("text")}:
        yield f"{key} was acknowledged with other words than are stored"


def _numbers(snapshot: Snapshot) -> Iterator[str]:
    """I2: 1, 2, 3 … up to the conversation's last."""
    numbers = defaultdict(list)
    for event in snapshot.events:
        numbers[event["conversation_id"]].append(event["seq"])
    for conversation in snapshot.conversations:
        found = sorted(numbers.get(conversation["id"], []))
        if found != list(range(1, conversation["last"] + 1)):
            yield f"{conversation['id']}: numbers {found[:20]} where 1 to {conversation['last']} are due"


def _order(record: Record) -> Iterator[str]:
    """I2: a sender who waits for each acknowledgement finds their messages in that order."""
    latest: dict[tuple[str, str], int] = {}
    known: set[tuple[str, str, str | None]] = set()
    for call in record.calls:
        if call.what not in ("say", "reply") or call.outcome != OK or call.seq is None:
            continue
        key, message = (call.conversation, call.who), (call.conversation, call.who, call.client_id)
        if message in known:
            continue
        known.add(message)
        if call.seq <= latest.get(key, 0):
            yield f"{key}: {call.client_id} has number {call.seq}, after {latest[key]}"
        latest[key] = call.seq


def _watched(record: Record, snapshot: Snapshot) -> Iterator[Violation]:
    """I3 and I5: each watcher got 1, 2, 3 …, each once, each as stored, and nothing of another conversation."""
    stored = {(event["conversation_id"], event["seq"]): digest(event["type"], event["data"]) for event in snapshot.events}
    belongs = {mark: key for key, mark in stored.items()}
    last = {conversation["id"]: conversation["last"] for conversation in snapshot.conversations}
    next_of: dict[tuple[str, str], int] = defaultdict(lambda: 1)
    for seen in record.seen:
        key = (seen.watcher, seen.conversation)
        if stored.get((seen.conversation, seen.seq)) != seen.digest:
            other = belongs.get(seen.digest)
            if other is not None and other[0] != seen.conversation:
                yield Violation("I5", f"{key} saw event {other[1]} of conversation {other[0]}")
            else:
                yield Violation("I3", f"{key}: event {seen.seq} is not as stored")
        if seen.seq != next_of[key]:
            yield Violation("I3", f"{key}: event {seen.seq} came where {next_of[key]} was due")
        next_of[key] = seen.seq + 1
    for (watcher, conversation), due in next_of.items():
        if watcher in record.watched_to_the_end and due <= last.get(conversation, 0):
            yield Violation("I3", f"{watcher} has {due - 1} of {last[conversation]} events of {conversation}")


def _outcomes(snapshot: Snapshot) -> Iterator[str]:
    """I4: one turn a message, one outcome a turn."""
    asked = Counter((event["conversation_id"], event["seq"]) for event in snapshot.events if _is_question(event))
    turns = Counter((turn["conversation_id"], turn["seq"]) for turn in snapshot.turns)
    for key in asked.keys() | turns.keys():
        if turns[key] != asked[key]:
            yield f"message {key} has {turns[key]} turns"
    for turn in snapshot.turns:
        if turn["status"] != "done" or not turn["outcome"]:
            yield f"message {(turn['conversation_id'], turn['seq'])} ended in silence: {turn['status']}, {turn['outcome']}"


def _is_question(event: Mapping[str, Any]) -> bool:
    return bool(event["type"] == "message" and event["sender"] == "customer")


def _replies(snapshot: Snapshot, replies_a_turn: int | None) -> Iterator[str]:
    """I4: an outcome that comes with words has them, and no more of them than its turn said."""
    spoken = Counter[str](
        turn["conversation_id"] for turn in snapshot.turns if turn["status"] == "done" and turn["outcome"] in SPOKEN and not turn["dropped"]
    )
    said = Counter[str](event["conversation_id"] for event in snapshot.events if event["type"] == "message" and event["sender"] == "bot")
    possible = Counter[str](turn["conversation_id"] for turn in snapshot.turns if not turn["dropped"])
    for conversation in spoken.keys() | said.keys():
        if said[conversation] < spoken[conversation]:
            yield f"{conversation}: {spoken[conversation]} turns with words, {said[conversation]} messages of the bot"
        if replies_a_turn is not None and said[conversation] > possible[conversation] * replies_a_turn:
            yield f"{conversation}: {possible[conversation]} turns, {said[conversation]} messages of the bot"
    echoes = Counter(
        (event["conversation_id"], event["data"]["text"]) for event in snapshot.events if event["sender"] == "bot" and _names_message(event)
    )
    for key, times in echoes.items():
        if times > 1:
            yield f"{key[0]}: {key[1]!r} was said {times} times"


def _names_message(event: Mapping[str, Any]) -> bool:
    """Whether the stand-in said it: its replies quote the one message that they answer."""
    return bool(str(event["data"].get("text", "")).startswith("Reply to "))


def _owners(snapshot: Snapshot) -> Iterator[str]:
    """I6: owner events follow each other as the table allows, the last is the owner, one touchpoint each, and the bot is silent under a person."""
    owner: dict[str, str] = defaultdict(lambda: "bot")
    changes = Counter[tuple[str, int]]()
    for event in snapshot.events:
        held = owner[event["conversation_id"]]
        if event["type"] == "owner":
            changes[event["conversation_id"], event["seq"]] += 1
            to = event["data"]["owner"]
            if to not in CHANGES[held]:
                yield f"{event['conversation_id']}: event {event['seq']} gives it from {held} to {to}"
            owner[event["conversation_id"]] = to
        elif event["sender"] == "bot" and held in ("agent", "closed"):
            yield f"{event['conversation_id']}: event {event['seq']} is the bot's while {held} holds it"
    for conversation in snapshot.conversations:
        if owner[conversation["id"]] != conversation["owner"]:
            yield f"{conversation['id']} belongs to {conversation['owner']}, by its events to {owner[conversation['id']]}"
    recorded = Counter((row["conversation_id"], json.loads(row["data"]).get("event")) for row in snapshot.touchpoints)
    for key in changes:
        if recorded[key] != 1:
            yield f"the change of owner {key} is recorded {recorded[key]} times"


def _takers(record: Record, snapshot: Snapshot) -> Iterator[str]:
    """I6: between two changes of owner at most one agent was told that the conversation is theirs, and that one has it by the events."""
    won = defaultdict(set)
    for call in record.calls:
        if call.what == "accept" and call.outcome == OK:
            won[call.conversation].add(call.who)
    took = defaultdict(list)
    for event in snapshot.events:
        if event["type"] == "owner" and event["data"]["owner"] == "agent":
            took[event["conversation_id"]].append(event["sender"])
    for conversation, winners in won.items():
        if not winners <= set(took[conversation]):
            yield f"{conversation}: {sorted(winners)} were told it is theirs, by its events {took[conversation]}"


def _recoveries(record: Record) -> Iterator[str]:
    """I7: back within its time."""
    for recovery in record.recoveries:
        if recovery.took_s is None:
            yield f"{recovery.part} did not come back"
        elif recovery.took_s > recovery.limit_s:
            yield f"{recovery.part} was back after {recovery.took_s:.1f} s, wanted {recovery.limit_s:.0f} s"


def counted(found: list[Violation]) -> dict[str, int]:
    """How many violations of each invariant."""
    numbers = Counter(violation.invariant for violation in found)
    return {name: numbers[name] for name in INVARIANTS}
