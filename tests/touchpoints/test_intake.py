"""Touchpoints from other systems: what the ledger takes, and how it says what is wrong with the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.touchpoints.entries import PURCHASE, purchase
from touchpoints.exceptions import TouchpointInvalid
from touchpoints.intake import DATA_LIMIT, read_touchpoint
from touchpoints.model import CHANNELS, KINDS, STAGES


def refusal(given: Any) -> TouchpointInvalid:
    with pytest.raises(TouchpointInvalid) as caught:
        read_touchpoint(given)
    return caught.value


def test_six_fields_are_enough() -> None:
    """Who, what, where on the journey, by which way and when; the rest has a plain default."""
    taken = read_touchpoint(PURCHASE)
    assert (taken.id, taken.visitor_id, taken.kind, taken.stage, taken.channel) == ("order-1077", "crm:4711", "purchase", "purchase", "web")
    assert taken.at == datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
    assert (taken.actor, taken.conversation_id, taken.article, taken.outcome, taken.confidence) == ("customer", None, None, None, None)
    assert (taken.emotion, taken.latency_ms, taken.data) == (None, None, {})


def test_everything_else_may_be_told_too() -> None:
    """A call's end, as a telephone system would send it."""
    call = purchase(
        kind="phone_call",
        channel="phone",
        actor="agent",
        article="router-red-light",
        outcome="solved",
        confidence=1,
        emotion="positive",
        latency_ms=18_000,
        data={"minutes": 4.5, "tags": ["router", None, True]},
    )
    taken = read_touchpoint(call)
    assert (taken.actor, taken.article, taken.outcome, taken.emotion, taken.latency_ms) == ("agent", "router-red-light", "solved", "positive", 18_000)
    assert taken.confidence == 1.0
    assert taken.data == {"minutes": 4.5, "tags": ["router", None, True]}


def test_what_may_be_left_out_may_be_null() -> None:
    """Many systems send every field."""
    optional = dict.fromkeys(("article", "outcome", "confidence", "emotion", "latency_ms", "data"))
    assert read_touchpoint(purchase(**optional)) == read_touchpoint(PURCHASE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_catalogue_is_taken(kind: str) -> None:
    """What the owner can read of, other systems can send."""
    assert read_touchpoint(purchase(kind=kind)).kind == kind


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_stage_and_channel_is_taken(stage: str, channel: str) -> None:
    """A contact may happen anywhere on the journey by any way."""
    taken = read_touchpoint(purchase(stage=stage, channel=channel))
    assert (taken.stage, taken.channel) == (stage, channel)


@pytest.mark.parametrize(
    ("sent", "hour"),
    [("2026-11-21T19:00:00Z", 19), ("2026-11-21T19:00:00+02:00", 17), ("2026-11-21T19:00:00.123456-05:00", 0), ("2026-11-21 19:00+00:00", 19)],
)
def test_times_of_any_zone_become_utc(sent: str, hour: int) -> None:
    """Shops stand in many places."""
    at = read_touchpoint(purchase(at=sent)).at
    assert (at.tzinfo, at.hour) == (UTC, hour)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", ""),
        ("id", 1077),
        ("id", "a" * 65),
        ("id", "order 1077"),
        ("id", "order-1077\n"),
        ("id", "ordér"),
        ("customer", None),
        ("customer", "crm 4711"),
        ("customer", ["crm:4711"]),
        ("kind", None),
        ("kind", "Purchase"),
        ("kind", "pigeon"),
        ("kind", ["purchase"]),
        ("kind", {"purchase": 1}),
        ("stage", None),
        ("stage", "lunch"),
        ("channel", "pigeon"),
        ("actor", None),
        ("actor", "robot"),
        ("emotion", "furious"),
        ("emotion", 1),
        ("at", None),
        ("at", "yesterday"),
        ("at", 1795287600),
        ("at", "2026-11-21"),
        ("at", "2026-11-21T19:00:00"),
        ("at", "2026-13-01T00:00:00Z"),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("at", "9999-12-31T23:59:59-12:00"),
        ("article", 7),
        ("article", "a" * 201),
        ("article", "a\nb"),
        ("outcome", "o" * 33),
        ("outcome", "a\x00b"),
        ("outcome", "\ud800"),
        ("confidence", "0.5"),
        ("confidence", True),
        ("confidence", 1.01),
        ("confidence", -0.1),
        ("confidence", float("nan")),
        ("confidence", float("inf")),
        ("confidence", 10**400),
        ("latency_ms", 1.5),
        ("latency_ms", -1),
        ("latency_ms", 2**31),
        ("latency_ms", False),
        ("data", []),
        ("data", "text"),
        ("data", {"words": "a" * DATA_LIMIT}),
        ("data", {"ratio": float("inf")}),
        ("data", {"deep": [{"ratio": float("nan")}]}),
    ],
)
def test_what_breaks_a_rule_is_refused_by_the_fields_name(field: str, value: Any) -> None:
    """The sender reads which field it was, in the sentence and in the detail."""
    refused = refusal(purchase(**{field: value}))
    assert refused.detail == {"field": field}
    assert str(refused).startswith(field)


@pytest.mark.parametrize("field", sorted(PURCHASE))
def test_no_needed_field_may_be_missing(field: str) -> None:
    """A touchpoint without one of them could not be placed on anybody's journey."""
    assert refusal({key: value for key, value in PURCHASE.items() if key != field}).detail == {"field": field}


def test_a_field_nobody_knows_is_refused() -> None:
    """A misspelt name would otherwise be lost without a word; so would the columns that the ledger fills itself."""
    assert refusal(purchase(chanel="web")).detail == {"field": "chanel"}
    assert refusal(purchase(seq=1)).detail == {"field": "seq"}
    assert refusal(purchase(conversation_id="somebody-elses")).detail == {"field": "conversation_id"}


@pytest.mark.parametrize("given", [None, "purchase", 7, [PURCHASE], True])
def test_only_an_object_is_a_touchpoint(given: Any) -> None:
    """Anything else has no fields to name."""
    assert str(refusal(given)) == "A touchpoint is an object."


def test_data_may_be_as_long_as_is_said() -> None:
    """The limit itself is allowed, one more is not."""
    room = DATA_LIMIT - len('{"words": ""}')
    assert read_touchpoint(purchase(data={"words": "a" * room})).data == {"words": "a" * room}
    assert refusal(purchase(data={"words": "a" * (room + 1)})).detail == {"field": "data"}
