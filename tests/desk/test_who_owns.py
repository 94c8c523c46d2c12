"""Who holds a conversation: hand-off, queue, taking, writing, giving back, going away, silence; notes and lists of the desk."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from desk.exceptions import AlreadyTaken, ClientIdReused, MessageInvalid, NotFound, OwnerConflict
from desk.model import Reply
from tests.desk.house import Agent, House, Visitor, answered, said


def test_rasa_hands_over_with_its_reason(house: House, visitor: Visitor) -> None:
    """The words come first, then the change of owner; the reason is what the agent sees."""
    house.rasa.results["it is still red"] = said("handed_off", "I am getting a person.", handoff="not_solved")
    reply, change = visitor.is_answered("it is still red")
    assert reply.data["text"] == "I am getting a person."
    assert change.data == {"owner": "queued", "reason": "not_solved"}
    assert house.agent().opens(visitor).conversation.reason == "not_solved"
    assert visitor.outcomes() == ["handed_off"]


def test_asking_for_a_person_twice_is_asking_once(visitor: Visitor) -> None:
    """The second time changes nothing, and neither does it while a person is there."""
    for _ in range(2):
        assert visitor.asks_for_a_person().owner == "queued"
    assert visitor.changes_of_owner() == [("queued", "customer_asked")]


def test_while_waiting_the_bot_answers_only_what_it_is_sure_of(house: House, waiting: Visitor) -> None:
    """An answer is shown; a shrug is dropped, recorded, and the message noted for the person."""
    house.rasa.results |= {"router is red": answered(), "hm?": said("asked_again", "In other words, please?")}
    waiting.is_answered("router is red")
    assert waiting.is_answered("hm?") == []
    assert waiting.outcomes() == ["answered", "noted"]
    assert [turn.dropped for turn in waiting.turns()] == [None, "owner_queued"]
    assert [owner for _, _, owner in house.rasa.asked] == ["queued", "queued"]
    assert waiting.owner() == "queued"


def test_with_rasa_away_the_one_who_waits_is_told_once_that_it_was_noted(house: House, waiting: Visitor) -> None:
    """The second message is noted without a word."""
    house.rasa.away = True
    for text in ("first", "second"):
        with house.rasa.thinking(text):
            waiting.says(text)
            house.clock.passes(10)
        house.settle()
    assert waiting.outcomes() == ["noted", "noted"]
    assert len(waiting.hears("bot")) == 1


def test_noted_without_a_word_is_an_outcome_too(house: House, waiting: Visitor) -> None:
    """Rasa says it once; afterwards it has nothing to say, and that is no failure."""
    house.rasa.results["and another thing"] = said("noted", replies=())
    assert waiting.is_answered("and another thing") == []
    assert waiting.outcomes() == ["noted"]


def test_an_answer_that_helped_ends_the_waiting(house: House, waiting: Visitor) -> None:
    """Solved meanwhile: back with the bot, and the queue one shorter."""
    house.rasa.results["that was it"] = said("small_talk", "Good!", verdict_slug="router-red-light", verdict_solved=True)
    waiting.is_answered("that was it")
    assert waiting.changes_of_owner()[-1] == ("bot", "solved_meanwhile")
    assert house.agents.conversations("queued") == []


def test_an_answer_that_helped_before_any_waiting_changes_no_owner(house: House, visitor: Visitor) -> None:
    """The verdict is kept for figures and for whoever may take the conversation later."""
    house.rasa.results["router is red"] = answered()
    house.rasa.results["thanks, solved"] = said("small_talk", "Good!", verdict_slug="router-red-light", verdict_solved=True)
    visitor.is_answered("router is red")
    visitor.is_answered("thanks, solved")
    assert visitor.changes_of_owner() == []
    (shown,) = house.agent().opens(visitor).shown_articles
    assert shown.verdict == "solved"


def test_never_mind_takes_the_customer_out_of_the_queue(waiting: Visitor) -> None:
    """By the button of the chat; with the bot already there it changes nothing."""
    assert waiting.changes_their_mind().owner == "bot"
    assert waiting.changes_their_mind().owner == "bot"
    assert waiting.changes_of_owner()[-1] == ("bot", "customer_cancelled")


@pytest.mark.parametrize("rasa_away", [False, True])
def test_never_mind_as_a_choice_of_the_bot_does_the_same(house: House, visitor: Visitor, rasa_away: bool) -> None:
    """The bot says they are out of the queue, so they are; it works without Rasa too."""
    words = Reply(text="A person is coming.", outcome="handed_off", choices=({"title": "Never mind", "payload": "/cancel_handoff"},))
    house.rasa.results["a person"] = said("handed_off", replies=(words,), handoff="customer_asked")
    visitor.is_answered("a person")
    assert visitor.owner() == "queued"
    house.rasa.away = rasa_away
    visitor.presses("/cancel_handoff")
    house.settle()
    assert visitor.changes_of_owner()[-1] == ("bot", "customer_cancelled")
    assert visitor.outcomes() == ["handed_off", "small_talk"]


def test_an_agent_accepts_and_answers(house: House, waiting: Visitor, agent: Agent) -> None:
    """From then on messages go to the desk, which is their outcome, and Rasa is not asked."""
    agent.accepts(waiting)
    waiting.says("are you a person?")
    agent.says(waiting, "Yes, I am Ada.")
    house.settle()
    assert waiting.hears() == ["are you a person?", "Yes, I am Ada."]
    assert waiting.outcomes() == ["handed_off"]
    assert house.rasa.asked == []
    assert waiting.sees()[-1].data["name"] == "Ada"
    assert house.customers.conversation(waiting.token, waiting.id)[0].agent_name == "Ada"


def test_of_twenty_agents_who_accept_at_once_one_wins(house: House) -> None:
    """Five rounds; the others are told who has it, and there is one event."""
    agents = [house.agent(f"agent{n}") for n in range(20)]
    for _ in range(5):
        visitor = house.visitor()
        visitor.asks_for_a_person()
        start = threading.Barrier(20)

        def accept(agent: Agent, visitor: Visitor = visitor, start: threading.Barrier = start) -> str:
            start.wait(10)
            try:
                return "won" if agent.accepts(visitor).agent_id == agent.person.id else "told wrong"
            except AlreadyTaken as refusal:
                return str(refusal.detail["agent"]["name"])

        with ThreadPoolExecutor(20) as pool:
            told = list(pool.map(accept, agents))
        winner = agents[told.index("won")].person.name
        assert sorted(told) == sorted([winner] * 19 + ["won"])
        assert visitor.changes_of_owner() == [("queued", "customer_asked"), ("agent", "agent_accepted")]


def test_the_winner_may_repeat_it_and_the_loser_can_do_nothing(house: House, waiting: Visitor, agent: Agent) -> None:
    """Another agent neither writes nor transfers nor returns nor closes what is not theirs."""
    bob = house.agent("Bob")
    assert agent.accepts(waiting).owner == agent.accepts(waiting).owner == "agent"
    for attempt in (bob.accepts, lambda v: bob.says(v, "hi"), bob.transfers, bob.returns_to_bot, bob.closes):
        with pytest.raises(AlreadyTaken) as refusal:
            attempt(waiting)
        assert refusal.value.detail == {"agent": {"id": agent.person.id, "name": "Ada"}}
    with pytest.raises(AlreadyTaken):
        house.agents.typing(bob.person, waiting.id)
    assert waiting.hears() == []


def test_an_agent_who_writes_first_takes_the_conversation_from_the_bot(house: House, visitor: Visitor, agent: Agent) -> None:
    """The change of owner is recorded before the words."""
    visitor.is_answered("hello")
    agent.says(visitor, "May I help?")
    change, words = visitor.sees()[-2:]
    assert change.data == {"owner": "agent", "reason": "agent_wrote_first", "agent": {"name": "Ada"}}
    assert words.data["text"] == "May I help?"


def test_an_agents_message_sent_again_is_the_same_message(house: House, waiting: Visitor, agent: Agent) -> None:
    """As with customers: same id, same words, same number; other words are a conflict. Another agent's ids are their own."""
    first = agent.says(waiting, "Hello.", client_id="x")
    again = agent.says(waiting, "Hello.", client_id="x")
    assert (again.seq, again.repeated) == (first.seq, True)
    with pytest.raises(ClientIdReused):
        agent.says(waiting, "Hello!", client_id="x")
    agent.transfers(waiting)
    assert not house.agent("Bob").says(waiting, "Hello.", client_id="x").repeated
    assert waiting.hears("agent") == ["Hello.", "Hello."]


@pytest.mark.parametrize("take", [Agent.accepts, lambda agent, visitor: agent.says(visitor, "I am here.")])
def test_once_a_person_holds_it_the_bot_does_not_speak(house: House, visitor: Visitor, agent: Agent, take: object) -> None:
    """A late reply is dropped, which is recorded; the message is the person's now, and so is the one that waited behind it."""
    with house.rasa.thinking("help me") as asked:
        visitor.says("help me")
        visitor.says("please")
        assert asked.wait(5)
        take(agent, visitor)
        assert visitor.outcomes() == ["handed_off", "handed_off"]
    house.settle(lambda: not house.runner._running)
    assert visitor.hears("bot") == []
    assert [(turn.outcome, turn.dropped) for turn in visitor.turns()] == [("handed_off", "owner_agent")] * 2
    assert [text for text, _, _ in house.rasa.asked] == ["help me"]


def test_a_reply_that_comes_after_the_end_is_dropped(house: House, visitor: Visitor) -> None:
    """Nothing follows the close."""
    with house.rasa.thinking("help me") as asked:
        visitor.says("help me")
        assert asked.wait(5)
        visitor.closes()
    house.settle(lambda: not house.runner._running)
    assert visitor.hears("bot") == []
    assert [event.type for event in visitor.sees()] == ["message", "owner", "survey"]
    assert visitor.outcomes() == ["noted"]


def test_a_late_hand_off_is_no_second_hand_off(house: House, visitor: Visitor) -> None:
    """The customer asked for a person while Rasa was deciding the same."""
    house.rasa.results["a person!"] = said("handed_off", "A person is coming.", handoff="customer_asked")
    with house.rasa.thinking("a person!") as asked:
        visitor.says("a person!")
        assert asked.wait(5)
        visitor.asks_for_a_person()
    house.settle()
    assert visitor.changes_of_owner() == [("queued", "customer_asked")]
    assert visitor.outcomes() == ["noted"]


def test_a_transfer_puts_it_back_into_the_queue_with_a_note(house: House, waiting: Visitor, agent: Agent) -> None:
    """The reason it came for stays, and the note is for the desk alone."""
    agent.accepts(waiting)
    assert agent.transfers(waiting, "Needs the network team.").owner == "queued"
    opened = house.agent("Bob").opens(waiting)
    assert (opened.conversation.reason, opened.conversation.agent_id) == ("customer_asked", None)
    assert [(note.author_name, note.text) for note in opened.notes] == [("Ada", "Needs the network team.")]
    assert not any("network team" in str(event.data) for event in waiting.sees())


def test_returned_to_the_bot_the_state_starts_empty(house: House, visitor: Visitor, agent: Agent) -> None:
    """What the bot had been asking before is forgotten."""
    house.rasa.results["router is red"] = answered()
    visitor.is_answered("router is red")
    agent.says(visitor, "Let me look.")
    agent.returns_to_bot(visitor)
    visitor.is_answered("thanks")
    assert house.rasa.asked[-1] == ("thanks", {}, "bot")
    assert visitor.changes_of_owner()[-1] == ("bot", "returned_to_bot")


def test_what_nobody_holds_cannot_be_transferred_or_returned(waiting: Visitor, agent: Agent) -> None:
    """The refusal says who has it."""
    for attempt in (agent.transfers, agent.returns_to_bot):
        with pytest.raises(OwnerConflict) as refusal:
            attempt(waiting)
        assert refusal.value.detail == {"owner": "queued"}


def test_an_agent_who_is_gone_gives_everything_back(house: House, waiting: Visitor, agent: Agent) -> None:
    """Not before 45 s without a sign of them, and writing is a sign."""
    agent.accepts(waiting)
    house.clock.passes(40)
    agent.says(waiting, "Still looking.")
    house.clock.passes(40)
    assert house.agents.relieve() == 0
    house.clock.passes(6)
    assert house.agents.relieve() == 1
    assert house.agents.relieve() == 0
    assert waiting.changes_of_owner()[-1] == ("queued", "agent_gone")
    assert house.agent("Bob").accepts(waiting).agent_name == "Bob"


def test_an_agent_who_goes_away_gives_everything_back_at_once_and_takes_nothing(house: House, waiting: Visitor, agent: Agent) -> None:
    """Until they are back."""
    agent.accepts(waiting)
    agent.is_away(True)
    assert waiting.changes_of_owner()[-1] == ("queued", "agent_away")
    with pytest.raises(OwnerConflict, match="away"):
        agent.accepts(waiting)
    agent.is_away(False)
    assert agent.accepts(waiting).owner == "agent"
    with pytest.raises(MessageInvalid):
        house.agents.set_away(agent.person, "yes")


def test_the_queue_is_in_order_of_waiting_and_each_knows_their_place(house: House) -> None:
    """First come, first served; the range of waiting comes from real waits."""
    visitors = []
    for _ in range(3):
        visitors.append(house.visitor())
        visitors[-1].asks_for_a_person()
        house.clock.passes(60)
    assert [conversation.id for conversation, _ in house.agents.conversations("queued")] == [visitor.id for visitor in visitors]
    places = [house.customers.conversation(visitor.token, visitor.id)[1] for visitor in visitors]
    assert [(place.position, place.wait_low_s) for place in places if place] == [(1, None), (2, None), (3, None)]
    ada = house.agent()
    for visitor in visitors[:2]:
        ada.accepts(visitor)
    _, place = house.customers.conversation(visitors[2].token, visitors[2].id)
    assert place is not None
    assert place.position == 1


def test_the_waits_that_are_promised_from_are_those_of_the_queue(house: House) -> None:
    """Five waited a minute and a half, so the sixth is told as much."""
    ada = house.agent()
    for _ in range(5):
        visitor = house.visitor()
        visitor.asks_for_a_person()
        house.clock.passes(90)
        ada.accepts(visitor)
    sixth = house.visitor()
    sixth.asks_for_a_person()
    _, place = house.customers.conversation(sixth.token, sixth.id)
    assert place is not None
    assert (place.wait_low_s, place.wait_high_s) == (90, 90)


def test_a_conversation_with_the_bot_ends_after_a_day_of_silence(house: House, visitor: Visitor, agent: Agent) -> None:
    """One that waits or is held by an agent does not."""
    queued, held, fresh = house.visitor(), house.visitor(), house.visitor()
    queued.asks_for_a_person()
    agent.accepts(held)
    house.clock.passes(86399)
    fresh.is_answered("hello")
    assert house.agents.close_silent() == 0
    house.clock.passes(2)
    assert house.agents.close_silent() == 1
    assert [one.owner() for one in (visitor, queued, held, fresh)] == ["closed", "queued", "agent", "bot"]
    assert visitor.changes_of_owner() == [("closed", "silence")]


def test_notes_are_the_desks_alone(house: House, visitor: Visitor, agent: Agent) -> None:
    """Anyone at the desk may leave one; they have no number among the events."""
    agent.house.agents.note(agent.person, visitor.id, "VIP, be kind")
    assert [note.text for note in agent.opens(visitor).notes] == ["VIP, be kind"]
    assert visitor.sees() == []
    with pytest.raises(MessageInvalid):
        house.agents.note(agent.person, visitor.id, " ")
    with pytest.raises(NotFound):
        house.agents.note(agent.person, "nowhere", "x")


def test_the_desk_reads_all_changes_by_a_cursor(house: House, visitor: Visitor, agent: Agent) -> None:
    """Beginning now there is nothing; afterwards every event, note and view, in order, without gaps."""
    changes, cursor = house.agents.changes_after(None)
    assert changes == []
    visitor.is_answered("hello")
    house.agents.note(agent.person, visitor.id, "x")
    changes, following = house.agents.changes_after(cursor)
    assert [(change["kind"], change["number"]) for change in changes] == [("event", cursor + 1), ("event", cursor + 2), ("note", cursor + 3)]
    assert house.agents.changes_after(following) == ([], following)


def test_lists_of_the_desk(house: House, visitor: Visitor, agent: Agent) -> None:
    """By owner, each with its newest message; my own on request."""
    visitor.is_answered("hello")
    held = house.visitor()
    agent.says(held, "Hi there")
    assert [(one.id, newest.data["text"]) for one, newest in house.agents.conversations("bot") if newest] == [(visitor.id, "You said: hello")]
    assert [one.id for one, _ in house.agents.conversations("agent", agent.person)] == [held.id]
    assert house.agents.conversations("agent", house.agent("Bob").person) == []
    with pytest.raises(MessageInvalid):
        house.agents.conversations("everyone")


@pytest.mark.parametrize("away_s", [3600, -3600])
def test_an_agent_keeps_what_they_hold_over_a_restart(house: House, visitor: Visitor, agent: Agent, away_s: float) -> None:
    """However long web was away, or the machine's clock set back: they have their 45 s from then on, and no more."""
    agent.says(visitor, "hello")
    house.clock.passes(away_s)
    house.agents.expect_back()
    assert house.agents.relieve() == 0
    house.clock.passes(46)
    assert house.agents.relieve() == 1
