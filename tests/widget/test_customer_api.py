"""The customers' API by its contract: a request in, the answer out, and what is stored."""

from __future__ import annotations

from itertools import product

import pytest

from tests.desk.house import answered
from tests.widget.conftest import Customer, Kit


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


def test_a_conversation_is_begun_and_its_token_opens_it(customer: Customer) -> None:
    """201 with id, owner and token; the token opens this conversation and its list."""
    assert customer.get().get_json() == {"id": customer.id, "owner": "bot", "queue": None, "agent": None, "last": 0}
    listed = customer.client.get("/api/conversations", headers=customer.headers).get_json()
    assert [one["id"] for one in listed["conversations"]] == [customer.id]
    assert len(customer.id) >= 22


def test_with_a_token_the_visitor_stays_the_same(customer: Customer) -> None:
    """The new token opens the old conversation too, and the new one is linked to it."""
    answer = customer.client.post("/api/conversations", json={"continues": customer.id}, headers=customer.headers)
    assert answer.status_code == 201
    customer.token = answer.get_json()["token"]
    assert customer.get().status_code == 200
    assert len(customer.client.get("/api/conversations", headers=customer.headers).get_json()["conversations"]) == 2


def test_a_message_is_accepted_repeated_and_refused(kit: Kit, customer: Customer) -> None:
    """202, then 200 with the same number, then 409 for other words; a closed conversation is another 409."""
    first = customer.post("/messages", {"client_id": "x", "text": "hello"})
    assert (first.status_code, first.get_json()) == (202, {"seq": 1})
    kit.house.settle()
    again = customer.post("/messages", {"client_id": "x", "text": "hello"})
    assert (again.status_code, again.get_json()) == (200, {"seq": 1})
    assert code(customer.post("/messages", {"client_id": "x", "text": "bye"})) == (409, "client_id_reused")
    customer.post("/close")
    assert code(customer.post("/messages", {"client_id": "y", "text": "hello"})) == (409, "conversation_closed")
    assert customer.post("/messages", {"client_id": "x", "text": "hello"}).status_code == 200


def test_events_come_in_order_from_after_a_number(kit: Kit, customer: Customer) -> None:
    """Each with number, type, time and data; ``last`` is the highest there is."""
    kit.house.rasa.results["router is red"] = answered()
    customer.says("router is red")
    whole = customer.get("/events").get_json()
    question, reply = whole["events"]
    assert (question["seq"], question["type"], question["at"]) == (1, "message", "2026-11-21T19:00:00.000Z")
    assert question["data"] == {"author": "customer", "text": "router is red", "client_id": "m1"}
    assert reply["data"]["outcome"] == "answered"
    assert set(reply["data"]["sources"][0]) == {"slug", "section", "title", "url", "confidence"}
    assert whole["last"] == 2
    assert customer.get("/events?after=1").get_json() == {"events": [reply], "last": 2}
    assert customer.get("/events?after=2").get_json() == {"events": [], "last": 2}
    assert customer.get("/events", headers={"Last-Event-ID": "1"}).get_json()["events"] == [reply]


def test_a_page_of_events_is_at_most_two_hundred(kit: Kit, customer: Customer) -> None:
    """The rest is after the last of them."""
    for n in range(110):
        customer.post("/messages", {"client_id": f"n{n}", "text": f"n{n}"})
    kit.house.settle()
    first = customer.get("/events").get_json()
    second = customer.get(f"/events?after={first['events'][-1]['seq']}").get_json()
    assert (len(first["events"]), first["last"], len(second["events"])) == (200, 220, 20)
    assert [event["seq"] for event in first["events"] + second["events"]] == list(range(1, 221))


def test_the_way_to_a_person_and_back(customer: Customer) -> None:
    """Asked for, awaited at a place in the queue, never minded; twice is once."""
    for _ in range(2):
        waiting = customer.post("/handoff", {"reason": "please"}).get_json()
        assert waiting["owner"] == "queued"
    assert customer.get().get_json()["queue"] == {"position": 1, "wait_low_s": None, "wait_high_s": None}
    assert customer.post("/cancel-handoff").get_json()["owner"] == "bot"
    assert customer.get().get_json()["queue"] is None


def test_the_end_and_the_rating(customer: Customer) -> None:
    """Closing again is no error, rating again with the same answer neither."""
    assert code(customer.post("/survey", {"question": "csat", "score": 5})) == (422, "invalid")
    assert customer.post("/close").get_json()["owner"] == customer.post("/close").get_json()["owner"] == "closed"
    assert customer.post("/survey", {"question": "csat", "score": 5, "comment": "<b>good</b>"}).status_code == 200
    assert customer.post("/survey", {"question": "csat", "score": 5, "comment": "<b>good</b>"}).status_code == 200
    assert code(customer.post("/survey", {"question": "csat", "score": 1})) == (409, "conflict")
    assert customer.events()[-1]["data"] == {"state": "answered", "question": "csat", "score": 5, "comment": "<b>good</b>"}


def test_typing_leaves_nothing_behind(customer: Customer) -> None:
    """204 and no event."""
    assert (customer.post("/typing").status_code, customer.events()) == (204, [])


CALLS = [
    ("GET", ""),
    ("GET", "/events"),
    ("GET", "/events?wait=20"),
    ("POST", "/messages"),
    ("POST", "/handoff"),
    ("POST", "/cancel-handoff"),
    ("POST", "/close"),
    ("POST", "/typing"),
    ("POST", "/survey"),
]
BODY = {"client_id": "x", "text": "hi", "question": "csat", "score": 3}


def test_anothers_conversation_and_none_look_the_same(kit: Kit, customer: Customer) -> None:
    """Status, headers and body to the byte; and the other notices nothing."""
    stranger = kit.customer()
    for (method, path), accept in product(CALLS, ("application/json", "text/event-stream")):
        body = BODY if method == "POST" else None
        theirs, absent = (
            stranger.client.open(
                f"/api/conversations/{one}{path}", method=method, json=body, headers=stranger.headers | {"Accept": accept}, buffered=True
            )
            for one in (customer.id, "A" * len(customer.id))
        )
        assert (theirs.status_code, theirs.data, dict(theirs.headers)) == (absent.status_code, absent.data, dict(absent.headers))
        assert code(theirs) == (404, "not_found")
    assert customer.events() == []


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer forged", "Basic dXNlcjpwYXNz", "Bearer \xe9\xff", "forged"])
def test_without_a_good_token_nothing_opens(customer: Customer, header: str | None) -> None:
    """Always 401, whether the conversation exists or not."""
    headers = {} if header is None else {"Authorization": header}
    for method, path in [("GET", None), *CALLS]:
        for one in (customer.id, "nowhere"):
            where = "/api/conversations" if path is None else f"/api/conversations/{one}{path}"
            answer = customer.client.open(where, method=method, json=BODY if method == "POST" else None, headers=headers)
            assert code(answer) == (401, "unauthorized"), where


def test_an_expired_token_says_that_it_has_expired(kit: Kit, customer: Customer) -> None:
    """So that the chat knows to begin anew; it begins no conversation either."""
    kit.house.clock.passes(31 * 86400)
    assert code(customer.get()) == (401, "token_expired")
    assert code(customer.client.post("/api/conversations", json={}, headers=customer.headers)) == (401, "token_expired")


def test_a_stream_sends_what_there_is_in_one_form(kit: Kit, customer: Customer) -> None:
    """Numbered events, then the place in the queue without a number; the stream ends where the server goes down."""
    customer.says("hello\nthere \u2028 é")
    customer.post("/handoff")
    kit.wakeups.close_all()
    stream = customer.get("/events?after=1", headers={"Accept": "text/event-stream"})
    assert (stream.mimetype, stream.headers["X-Accel-Buffering"]) == ("text/event-stream", "no")
    frames = stream.get_data(as_text=True).split("\n\n")
    assert [frame.split("\n")[:2] for frame in frames[:4]] == [
        [": open"],
        ["id: 2", "event: event"],
        ["id: 3", "event: event"],
        ["event: queue", 'data: {"position":1,"wait_low_s":null,"wait_high_s":null}'],
    ]
    assert "event: reconnect" in frames[-2]
    assert kit.wakeups.count() == 0


def test_search_and_article_feedback_are_open_to_anyone_and_say_when_there_is_no_library(customer: Customer) -> None:
    """Before the first index there is nothing to find: 503 with a word when to come again, never a 500."""
    for answer in (customer.client.get("/api/search?q=router"), customer.client.post("/api/articles/x/feedback", json={"helpful": True})):
        assert code(answer) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0


def test_long_texts_come_in_several_answers(kit: Kit, customer: Customer) -> None:
    """Each small enough to be held for a client that does not read; together they are everything, by asking again and by stream."""
    texts = [f"{n}" + "x" * 7900 for n in range(12)]
    for text in texts:
        customer.says(text)
    after, seen, answers = 0, [], 0
    while True:
        answer = customer.get(f"/events?after={after}").get_json()
        seen += answer["events"]
        answers += 1
        after = seen[-1]["seq"]
        if after == answer["last"]:
            break
        assert sum(len(event["data"]["text"]) for event in answer["events"]) <= 40_000
    assert answers > 2
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert [event["data"]["text"] for event in seen if event["data"]["author"] == "customer"] == texts
    kit.wakeups.close_all()
    streamed = customer.get("/events", headers={"Accept": "text/event-stream"}).get_data(as_text=True)
    assert streamed.count("event: event") >= 1
