"""The end of a conversation: closed by an agent, asked about once, scored."""

from __future__ import annotations

import pytest

from desk.exceptions import ConversationClosed, MessageInvalid, OwnerConflict
from tests.desk.house import Agent, House, Visitor


def test_closing_by_the_agent_keeps_what_came_of_it(waiting: Visitor, agent: Agent) -> None:
    """Resolution and article; then nothing can be done any more."""
    agent.accepts(waiting)
    closed = agent.closes(waiting, "not_solved", "router-red-light")
    assert (closed.owner, closed.resolution, closed.resolution_article) == ("closed", "not_solved", "router-red-light")
    assert closed.agent_id is None
    for attempt in (agent.accepts, lambda v: agent.says(v, "hi"), agent.transfers, agent.returns_to_bot, agent.closes):
        with pytest.raises(ConversationClosed):
            attempt(waiting)
    with pytest.raises(ConversationClosed):
        waiting.asks_for_a_person()
    with pytest.raises(ConversationClosed):
        waiting.changes_their_mind()
    for wrong in (None, "done", 5, ["solved"]):
        with pytest.raises(MessageInvalid):
            agent.closes(waiting, wrong)


def test_the_survey_is_asked_at_the_end_and_answered_once(house: House, visitor: Visitor) -> None:
    """The same answer again changes nothing, another one is a conflict; before the end there is nothing to answer."""
    with pytest.raises(MessageInvalid, match="not asked"):
        visitor.rates(5)
    visitor.closes()
    visitor.closes()
    assert [event.data for event in visitor.sees() if event.type == "survey"] == [{"state": "asked", "question": "csat"}]
    visitor.rates(4, comment="quick")
    visitor.rates(4, comment="quick")
    with pytest.raises(OwnerConflict):
        visitor.rates(1)
    assert visitor.sees()[-1].data == {"state": "answered", "question": "csat", "score": 4, "comment": "quick"}
    assert house.rows("SELECT question, score, choice, comment FROM survey_answers") == [
        {"question": "csat", "score": 4, "choice": None, "comment": "quick"}
    ]


@pytest.mark.parametrize("answer", [{}, {"question": "nps", "score": 3}, {"question": ["csat"], "score": 3}, {"question": "csat"}])
def test_a_survey_takes_no_nonsense(house: House, visitor: Visitor, answer: dict[str, object]) -> None:
    """Unknown questions and missing scores."""
    visitor.closes()
    with pytest.raises(MessageInvalid):
        house.customers.rate(visitor.token, visitor.id, answer)


@pytest.mark.parametrize("score", [0, 6, -1, 4.5, True, "5", None, [5], 10**30])
def test_a_score_is_one_to_five(visitor: Visitor, score: object) -> None:
    """Whole numbers only."""
    visitor.closes()
    with pytest.raises(MessageInvalid):
        visitor.rates(score)
