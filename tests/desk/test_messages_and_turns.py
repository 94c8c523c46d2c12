"""From a message to its one outcome: stored once, answered in order, and never in silence."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from desk.exceptions import BotFailed, ClientIdReused, ConversationClosed, MessageInvalid, NotFound, TokenInvalid
from tests.desk.house import Agent, House, Visitor, answered, said


def test_a_question_is_answered_with_its_source(house: House, visitor: Visitor) -> None:
    """The answer is the next event; its source leads to the article by way of a reference to the conversation."""
    house.rasa.results["router is red"] = answered()
    (reply,) = visitor.is_answered("router is red")
    assert (reply.seq, reply.data["author"], reply.data["text"], reply.data["outcome"]) == (2, "bot", "Restart it.", "answered")
    path, _, anchor = reply.data["sources"][0]["url"].partition("#")
    page, _, reference = path.partition("?ref=")
    assert (page, anchor, house.tokens.referred(reference)) == ("/help/router-red-light", "step-1", visitor.id)
    assert visitor.outcomes() == ["answered"]


def test_the_state_of_one_turn_is_what_the_next_begins_with(house: House, visitor: Visitor) -> None:
    """Rasa keeps nothing, so what it gave back goes along the next time, with the owner and what remains of the time."""
    house.rasa.results["router is red"] = answered()
    visitor.is_answered("router is red")
    visitor.is_answered("hm")
    (first, second) = house.rasa.asked
    assert first == ("router is red", {}, "bot")
    assert second == ("hm", dict(answered().state), "bot")
    assert all(0 < budget <= 6 for budget in house.rasa.budgets)
    assert len(set(house.rasa.turn_ids)) == 2
    assert all(len(turn_id) <= 64 for turn_id in house.rasa.turn_ids)


def test_the_same_message_sent_again_is_the_same_message(house: House, visitor: Visitor) -> None:
    """The same number, no second row, no second answer, however often and however late."""
    first = visitor.says("hello", client_id="once")
    house.settle()
    for _ in range(5):
        again = visitor.says("hello", client_id="once")
        assert (again.seq, again.repeated) == (first.seq, True)
    visitor.closes()
    assert visitor.says("hello", client_id="once").seq == first.seq
    assert visitor.hears("customer") == ["hello"]
    assert len(house.rasa.asked) == 1


def test_a_message_sent_twenty_times_at_once_is_stored_once(house: House, visitor: Visitor) -> None:
    """Tabs and retries race; all are told the same number, and one of them that it was new."""
    start = threading.Barrier(20)

    def send(_: int) -> tuple[int, bool]:
        start.wait(10)
        accepted = visitor.says("hello", client_id="once")
        return accepted.seq, accepted.repeated

    with ThreadPoolExecutor(20) as senders:
        told = list(senders.map(send, range(20)))
    house.settle()
    assert sorted(told) == [(1, False)] + [(1, True)] * 19
    assert visitor.outcomes() == ["small_talk"]


def test_a_client_id_is_not_used_for_another_message(visitor: Visitor) -> None:
    """Other words, or the same words pressed: a conflict, and the first one stays."""
    visitor.says("hello", client_id="once")
    for attempt in (lambda: visitor.says("hello!", client_id="once"), lambda: visitor.presses("hello", client_id="once")):
        with pytest.raises(ClientIdReused):
            attempt()
    assert visitor.hears("customer") == ["hello"]


def test_two_conversations_may_use_one_client_id(house: House, visitor: Visitor) -> None:
    """It is unique in its conversation, not in the world; an agent's do not get in its way either."""
    other, agent = house.visitor(), house.agent()
    assert visitor.says("one", client_id="x").seq == other.says("two", client_id="x").seq == 1
    house.settle()
    assert not agent.says(other, "three", client_id="x").repeated


def test_a_choice_is_shown_by_its_title_and_read_by_its_payload(house: House, visitor: Visitor) -> None:
    """Everyone sees the words of the button; Rasa gets the intent."""
    house.rasa.results["router is red"] = answered()
    visitor.is_answered("router is red")
    visitor.presses("/affirm")
    house.settle()
    assert visitor.hears("customer") == ["router is red", "Yes, thanks"]
    assert house.rasa.asked[-1][0] == "/affirm"


def test_a_payload_must_have_been_offered_here(house: House, visitor: Visitor) -> None:
    """What another conversation was offered is nothing to this one; refused payloads leave no trace."""
    other = house.visitor()
    house.rasa.results["router is red"] = answered()
    other.is_answered("router is red")
    for payload in ("/affirm", "/restart", "/session_start", "", None, 3, {"x": []}):
        with pytest.raises(MessageInvalid):
            visitor.presses(payload)
    assert visitor.sees() == []
    assert visitor.touchpoints() == []


@pytest.mark.parametrize("body", [{}, {"text": "a", "payload": "/b"}, {"text": None}, {"text": 5}, {"text": ["a"]}, {"text": ""}])
def test_a_message_is_text_or_payload(house: House, visitor: Visitor, body: dict[str, object]) -> None:
    """Neither, both, or something else: refused, and nothing stored."""
    with pytest.raises(MessageInvalid):
        house.customers.say(visitor.token, visitor.id, "x", body)
    assert visitor.sees() == []


def test_the_messages_of_one_conversation_are_answered_one_at_a_time_in_order(house: House, visitor: Visitor) -> None:
    """The next turn begins with the state that the one before gave back."""
    house.rasa.results |= {f"m{n}": said("small_talk", f"r{n}", state={"n": n}) for n in range(8)}
    with house.rasa.thinking("m0") as asked:
        visitor.says("m0")
        assert asked.wait(5)
        for n in range(1, 8):
            visitor.says(f"m{n}")
        assert house.rasa.at_work == 1
    house.settle()
    assert [(text, state.get("n")) for text, state, _ in house.rasa.asked] == [(f"m{n}", n - 1 if n else None) for n in range(8)]
    assert visitor.hears("bot") == [f"r{n}" for n in range(8)]
    assert house.rasa.most_at_work == 1


def test_conversations_do_not_wait_for_each_other(house: House) -> None:
    """While Rasa thinks about one, another is answered."""
    slow, quick = house.visitor(), house.visitor()
    with house.rasa.thinking("hard") as asked:
        slow.says("hard")
        assert asked.wait(5)
        quick.says("easy")
        house.settle(lambda: quick.outcomes() == ["small_talk"])
        assert slow.outcomes() == [None]
    house.settle()
    assert slow.outcomes() == ["small_talk"]


def test_every_message_has_exactly_one_outcome_and_numbers_have_no_gaps(house: House) -> None:
    """Ten customers write at once, five messages each."""
    visitors = [house.visitor() for _ in range(10)]

    def chat(visitor: Visitor) -> None:
        for n in range(5):
            visitor.says(f"message {n}")

    with ThreadPoolExecutor(10) as senders:
        list(senders.map(chat, visitors))
    house.settle()
    for visitor in visitors:
        events = visitor.sees()
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert visitor.outcomes() == ["small_talk"] * 5
        assert visitor.hears("customer") == [f"message {n}" for n in range(5)]
        assert visitor.hears("bot") == [f"You said: message {n}" for n in range(5)]


def test_a_closed_conversation_takes_no_message_and_a_new_one_continues_it(house: House, visitor: Visitor) -> None:
    """The new conversation is linked to the old one, which must be the visitor's own."""
    visitor.closes()
    with pytest.raises(ConversationClosed):
        visitor.says("one more thing")
    fresh, token = house.customers.start(visitor.token, continues=visitor.id)
    assert (fresh.continues, fresh.visitor_id) == (visitor.id, house.tokens.visitor(token))
    assert [one.id for one in house.customers.conversations(visitor.token)] != []
    with pytest.raises(NotFound):
        house.customers.start(house.visitor().token, continues=visitor.id)


def test_anothers_conversation_looks_like_none(house: House, visitor: Visitor) -> None:
    """Every door answers a stranger as it answers for a conversation that does not exist, word for word."""
    stranger, customers = house.visitor(), house.customers
    visitor.says("my secret")
    house.settle()
    doors = (
        lambda token, one: customers.conversation(token, one),
        lambda token, one: customers.events(token, one, 0),
        lambda token, one: customers.watch(token, one, 0),
        lambda token, one: customers.say(token, one, "x", {"text": "hi"}),
        lambda token, one: customers.ask_for_person(token, one),
        lambda token, one: customers.cancel_handoff(token, one),
        lambda token, one: customers.close(token, one),
        lambda token, one: customers.rate(token, one, {"question": "csat", "score": 1}),
        lambda token, one: customers.typing(token, one),
    )
    before = visitor.sees()
    for door in doors:
        refusals = []
        for conversation_id in (visitor.id, "no-such-conversation"):
            with pytest.raises(NotFound) as refusal:
                door(stranger.token, conversation_id)
            refusals.append((str(refusal.value), refusal.value.detail))
        assert refusals[0] == refusals[1]
        with pytest.raises(TokenInvalid):
            door("forged", visitor.id)
    assert visitor.sees() == before
    assert [one.id for one in customers.conversations(stranger.token)] == [stranger.id]


def test_with_rasa_away_search_answers_what_it_is_sure_of(house: House, visitor: Visitor) -> None:
    """In the bot's form: source, the question whether it helped, and a state from which the next turn goes on."""
    house.rasa.away, house.search.verdict, house.search.kind = True, "answer", "guide"
    (reply,) = visitor.is_answered("router is red")
    assert reply.data["text"].startswith("Restart it.\n\n")
    assert reply.data["sources"][0]["slug"] == "router-red-light"
    assert '/start_guide{"article": "router-red-light"}' in [choice["payload"] for choice in reply.data["choices"]]
    assert visitor.outcomes() == ["answered"]
    house.rasa.away = False
    visitor.is_answered("go on")
    assert house.rasa.asked[-1][1]["pending"] == "solved"


def test_with_rasa_away_pressing_no_brings_a_person(house: House, visitor: Visitor) -> None:
    """After an answer by search, "no" needs neither Rasa nor search."""
    house.rasa.away, house.search.verdict = True, "answer"
    visitor.is_answered("router is red")
    visitor.presses("/deny")
    house.settle()
    assert visitor.outcomes() == ["answered", "handed_off"]
    assert visitor.changes_of_owner() == [("queued", "not_solved")]
    (shown,) = house.agent().opens(visitor).shown_articles
    assert (shown.slug, shown.verdict) == ("router-red-light", "not_solved")


@pytest.mark.parametrize("verdict", [None, "offer", "none"])
def test_with_no_sure_answer_the_customer_is_told_in_words_and_offered_a_person(house: House, visitor: Visitor, verdict: str | None) -> None:
    """Once the time is over; the button of those words then works without Rasa."""
    house.rasa.away, house.search.verdict = True, verdict
    with house.rasa.thinking("help"):
        visitor.says("help")
        house.clock.passes(10)
    house.settle()
    (sorry,) = [event for event in visitor.sees() if event.data["author"] == "bot"]
    assert (sorry.data["outcome"], visitor.outcomes()) == ("failed", ["failed"])
    assert [choice["payload"] for choice in sorry.data["choices"]] == ["/request_person"]
    visitor.presses("/request_person")
    house.settle()
    assert visitor.owner() == "queued"
    assert visitor.outcomes() == ["failed", "handed_off"]


def test_a_turn_is_tried_again_while_there_is_time(house: House, visitor: Visitor) -> None:
    """A Rasa that was just being restarted answers the second try."""
    tries = iter([BotFailed("refused"), BotFailed("refused"), said("small_talk", "Here I am.")])

    def third_time() -> object:
        result = next(tries)
        if isinstance(result, Exception):
            raise result
        return result

    house.rasa.results["hello"] = third_time
    house.runner.start()
    (reply,) = visitor.is_answered("hello")
    assert reply.data["text"] == "Here I am."
    assert len(house.rasa.asked) == 3
    assert [notice.kind for notice in house.notices].count("typing") == 1


def test_past_the_time_rasa_is_not_asked_any_more(house: House, visitor: Visitor) -> None:
    """A message that waited behind a slow one goes straight to search."""
    house.search.verdict = "answer"
    with house.rasa.thinking("slow") as asked:
        visitor.says("slow")
        assert asked.wait(5)
        visitor.says("router is red")
        house.clock.passes(7.8)
    house.settle()
    assert [text for text, _, _ in house.rasa.asked] == ["slow"]
    assert house.search.asked == ["router is red"]
    assert visitor.outcomes() == ["small_talk", "answered"]


def test_search_is_not_asked_about_a_choice(house: House, visitor: Visitor) -> None:
    """A payload is no question; with Rasa away for good its turn ends in words."""
    house.rasa.results["router is red"] = answered()
    visitor.is_answered("router is red")
    house.rasa.away, house.search.verdict = True, "answer"
    with house.rasa.thinking("/affirm"):
        visitor.presses("/affirm")
        house.clock.passes(8)
    house.settle()
    assert visitor.outcomes() == ["answered", "failed"]
    assert house.search.asked == []


def test_an_error_nobody_foresaw_does_not_leave_a_message_in_silence(house: House, visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    """The turn is not kept for ever by the runner that broke: it is taken up again, and past its time ends in words."""
    house.rasa.results["boom"] = ZeroDivisionError("a bug")
    house.runner.start()
    visitor.says("boom")
    house.settle(lambda: "a turn broke off" in caplog.text)
    assert visitor.outcomes() == [None]
    house.clock.passes(20)
    house.settle()
    assert visitor.outcomes() == ["failed"]


def test_a_database_that_refuses_the_end_of_a_turn_only_delays_it(house: House, visitor: Visitor) -> None:
    """Neither half of it is stored; once the database takes it, the turn runs again and ends once."""
    house.execute("CREATE TRIGGER full BEFORE UPDATE ON turns WHEN new.status = 'done' BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    house.runner.start()
    visitor.says("hello")
    house.settle(lambda: len(house.rasa.asked) == 1 and not house.runner._running)
    assert visitor.hears("bot") == []
    house.execute("DROP TRIGGER full")
    house.clock.passes(3)
    house.settle()
    assert visitor.hears("bot") == ["You said: hello"]
    assert visitor.outcomes() == ["small_talk"]


def test_the_desk_is_told_of_typing_and_nothing_of_it_is_stored(house: House, visitor: Visitor, agent: Agent) -> None:
    """Customers see the bot and the agent write, the desk sees the customer write."""
    visitor.is_answered("hello")
    agent.accepts(visitor)
    before = visitor.sees()
    house.customers.typing(visitor.token, visitor.id)
    house.agents.typing(agent.person, visitor.id)
    kinds = [(notice.kind, notice.data.get("author")) for notice in house.notices if notice.kind != "event"]
    assert kinds == [("typing", "bot"), ("customer_typing", None), ("typing", "agent")]
    assert visitor.sees() == before
