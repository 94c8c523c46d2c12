"""The ledger as its callers use it: the help centre writes, other systems send and read, administrators make keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from desk.model import Staff
from desk.store.staff import add_staff
from tests.touchpoints.entries import NOON, FixedClock, ids, purchase
from touchpoints.database import Database
from touchpoints.exceptions import StoreError, TouchpointInvalid
from touchpoints.intake import MOST, Refused, Taken
from touchpoints.ledger import Ledger
from touchpoints.model import Touchpoint
from touchpoints.schema import api_keys

Records = Callable[..., None]


def only(ledger: Ledger) -> Touchpoint:
    (recorded,) = ledger.read()
    return recorded.touchpoint


# What the help centre writes


def test_an_article_found_helpful_is_recorded_with_its_stage(ledger: Ledger) -> None:
    """The stage is that of the article, the mood that of the verdict."""
    ledger.article_feedback("router-red-light", True, None, visitor_id="v")
    entry = only(ledger)
    assert (entry.kind, entry.stage, entry.channel, entry.actor) == ("article_feedback", "onboarding", "help_centre", "customer")
    assert (entry.article, entry.outcome, entry.emotion, entry.visitor_id) == ("router-red-light", "helpful", "positive", "v")
    assert (entry.at, entry.data) == (NOON, {})


def test_an_article_that_did_not_help_is_recorded_with_the_reason(ledger: Ledger) -> None:
    """An article that nobody knows any more counts as service."""
    ledger.article_feedback("gone", False, "It is about the old router.")
    entry = only(ledger)
    assert (entry.outcome, entry.emotion, entry.stage) == ("not_helpful", "negative", "service")
    assert entry.data == {"reason": "It is about the old router."}


def test_a_search_is_recorded_with_what_it_found(ledger: Ledger) -> None:
    """At most ten articles and 500 characters: enough to see what was wanted."""
    ledger.search("lamp " * 200, [f"article-{number}" for number in range(20)], True)
    entry = only(ledger)
    assert (entry.kind, entry.channel, entry.outcome) == ("search", "help_centre", "answerable")
    assert len(entry.data["query"]) == 500
    assert entry.data["found"] == [f"article-{number}" for number in range(10)]


def test_a_search_without_an_answer_is_recorded_as_one(ledger: Ledger) -> None:
    """These are the articles that are missing."""
    ledger.search("pigeons", [], False)
    assert (only(ledger).outcome, only(ledger).data) == ("no_answer", {"query": "pigeons", "found": []})


def test_an_article_is_viewed_from_the_chat_or_in_the_help_centre(ledger: Ledger) -> None:
    """The link that led there tells which; recording it is left to the caller's transaction."""
    from_chat = ledger.article_view("cancel-plus", visitor_id="v", conversation_id="c")
    assert (from_chat.kind, from_chat.channel, from_chat.stage, from_chat.conversation_id) == ("article_view", "widget", "retention", "c")
    assert ledger.article_view("cancel-plus").channel == "help_centre"
    assert ledger.read() == []


# What other systems send


def test_touchpoints_of_a_call_are_recorded_in_its_order(ledger: Ledger, clock: FixedClock) -> None:
    """When they were recorded is the ledger's own knowledge."""
    clock.passes(minutes=5)
    assert ledger.take([purchase(id="b"), purchase(id="a")]) == Taken(2, 0, ())
    assert ids(ledger.read()) == ["b", "a"]
    assert {recorded.recorded_at for recorded in ledger.read()} == {clock.now}


def test_sending_again_changes_nothing(ledger: Ledger) -> None:
    """A sender that never heard the answer sends the same call again, and the first telling stays."""
    ledger.take([purchase(id="a", outcome="paid"), purchase(id="b")])
    before = ledger.read()
    assert ledger.take([purchase(id="a", outcome="refunded"), purchase(id="b"), purchase(id="c")]) == Taken(1, 2, ())
    assert ledger.read()[:2] == before
    assert ids(ledger.read()) == ["a", "b", "c"]


def test_twice_in_one_call_is_once(ledger: Ledger) -> None:
    """The first of them is recorded."""
    assert ledger.take([purchase(id="a", outcome="paid"), purchase(id="a", outcome="refunded"), purchase(id="a")]) == Taken(1, 2, ())
    assert only(ledger).outcome == "paid"


def test_bad_ones_are_refused_and_the_rest_are_recorded(ledger: Ledger) -> None:
    """Each is named by its place, with the reason."""
    taken = ledger.take([purchase(id="a"), "pigeon", purchase(id="b", kind="pigeon"), purchase(id="c")])
    assert (taken.accepted, taken.repeated) == (2, 0)
    assert taken.refused[0] == Refused(1, "invalid", "A touchpoint is an object.")
    assert (taken.refused[1].index, taken.refused[1].message.startswith("kind must be one of")) == (2, True)
    assert ids(ledger.read()) == ["a", "c"]


def test_an_empty_call_is_fine(ledger: Ledger) -> None:
    """A nightly job with nothing to tell."""
    assert ledger.take([]) == Taken(0, 0, ())


def test_a_full_call_is_taken_and_one_more_is_not(ledger: Ledger) -> None:
    """Nothing of a call that is too long is recorded, so that it can be sent again in parts."""
    full = [purchase(id=f"order-{number}") for number in range(MOST)]
    with pytest.raises(TouchpointInvalid) as caught:
        ledger.take([*full, purchase(id="one-more")])
    assert caught.value.detail == {"field": "touchpoints"}
    assert ledger.read() == []
    assert ledger.take(full).accepted == MOST


@pytest.mark.parametrize("given", [None, {}, "all of them", 7, {"touchpoints": []}])
def test_a_call_is_a_list(ledger: Ledger, given: Any) -> None:
    """Anything else is refused whole."""
    with pytest.raises(TouchpointInvalid):
        ledger.take(given)


def test_nothing_stays_of_a_call_that_cannot_be_written(ledger: Ledger, database: Database) -> None:
    """While another writer holds the database the sender is told, and sends again."""
    with database.writing(), pytest.raises(StoreError):
        ledger.take([purchase(id="a")])
    assert ledger.read() == []
    assert ledger.take([purchase(id="a")]).accepted == 1


# What is read


def test_pages_go_through_the_whole_ledger(ledger: Ledger) -> None:
    """Every touchpoint once and in order, though a page holds a thousand."""
    for start in range(0, 2400, 800):
        ledger.take([purchase(id=f"order-{number}") for number in range(start, start + 800)])
    pages = list(ledger.pages())
    assert [len(page) for page in pages] == [1000, 1000, 400]
    assert [recorded.seq for page in pages for recorded in page] == list(range(1, 2401))


def test_pages_begin_after_a_cursor_and_hold_nothing_open(ledger: Ledger) -> None:
    """Between two pages others may write, and what they write is read too."""
    ledger.take([purchase(id=name) for name in "ab"])
    pages = ledger.pages(after=1)
    assert ids(next(pages)) == ["b"]
    ledger.take([purchase(id="c")])
    assert [ids(page) for page in pages] == [["c"]]


def test_a_customers_touchpoints_are_read_alone(ledger: Ledger) -> None:
    """By the key that the sender uses for them."""
    ledger.take([purchase(id="a", customer="crm:1"), purchase(id="b", customer="crm:2"), purchase(id="c", customer="crm:1")])
    assert ids(ledger.read(customer="crm:1")) == ["a", "c"]
    assert ids(ledger.read(customer="crm:1", limit=1)) == ["a"]
    assert ids(ledger.read(conversation_id="crm:1")) == []


# Keys


@pytest.fixture
def administrator(database: Database) -> str:
    person = Staff(id="ada", email="ada@shop.example", name="Ada", role="administrator")
    with database.writing() as connection:
        add_staff(connection, person, "no-password", NOON)
    return person.id


def test_a_key_opens_until_it_is_revoked(ledger: Ledger, administrator: str) -> None:
    """Revoking one leaves the others alone."""
    shop_id, shop = ledger.make_key("shop", administrator)
    _, phones = ledger.make_key("phones", administrator)
    assert ledger.knows_key(shop)
    assert ledger.revoke_key(shop_id)
    assert not ledger.knows_key(shop)
    assert ledger.knows_key(phones)


def test_a_key_is_revoked_once(ledger: Ledger, administrator: str) -> None:
    """And one that is not there not at all."""
    key_id, _ = ledger.make_key("shop", administrator)
    assert ledger.revoke_key(key_id)
    assert not ledger.revoke_key(key_id)
    assert not ledger.revoke_key("nobody's")


@pytest.mark.parametrize("key", ["", "td_", "td_guess", "\ud800", "' OR 1=1 --"])
def test_a_guess_opens_nothing(ledger: Ledger, administrator: str, key: str) -> None:
    """However it is written."""
    ledger.make_key("shop", administrator)
    assert not ledger.knows_key(key)


def test_the_key_itself_is_not_kept(ledger: Ledger, database: Database, administrator: str) -> None:
    """Whoever reads the database cannot use what is in it."""
    key_id, key = ledger.make_key("shop", administrator)
    with database.reading() as connection:
        row = connection.execute(select(api_keys)).one()
    assert (row.id, row.name, row.created_by, row.created_at, row.revoked_at) == (key_id, "shop", administrator, NOON, None)
    assert key not in str(row)
    assert not ledger.knows_key(row.hash)
    assert key.startswith("td_")
    assert len(key) > 40
