"""Who holds a conversation when many want it at once, when its agent is gone, and when the bot answers too late."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

from tests.faults.checker import counted, violations
from tests.faults.players import Agent
from tests.faults.rows import Row, row
from tests.faults.small_kit import SmallKit, small_kit

WEBS = 2
MOST_AGENTS = 20
TOLD_WITHIN_S = 0.5
LATE_S = 0.25
"""How long Rasa thinks in the rounds where an agent takes over meanwhile."""
LOOKED_AFTER_EVERY_S = 2.0


def accept_at_once(folder: Path, rounds: int, *, seed: int = 1, say: Callable[[str], None] = print) -> list[Row]:
    """So many conversations, each wanted by 2 to 20 agents at the same moment, over two webs."""
    chance, wrong, told = random.Random(seed), list[str](), list[float]()
    with small_kit(folder, webs=WEBS, agents=MOST_AGENTS) as kit:
        webs = [kit.web(number) for number in range(WEBS)]
        agents = [kit.agent(number) for number in range(MOST_AGENTS)]
        for number, agent in enumerate(agents):
            agent.line.ports = kit.ports[number % WEBS :] + kit.ports[: number % WEBS]
            agent.line.close()
        with ThreadPoolExecutor(MOST_AGENTS) as threads:
            for number in range(rounds):
                _round(kit, threads, chance.sample(agents, chance.randint(2, MOST_AGENTS)), number, wrong, told)
        snapshot = kit.settled()
        late, dropped, spoken = _bot_too_late(kit, agents[0], max(10, rounds // 10))
        found = violations(kit.record, kit.settled(), replies_a_turn=1)
        for web in webs:
            web.stop()
    for problem in [*wrong[:10], *found[:10]]:
        say(f"  {problem}")
    broken, calls = counted(found), len(told)
    events = sum(event["type"] == "owner" and event["data"]["owner"] == "agent" for event in snapshot.events)
    slowest = sorted(told)[int(0.99 * (calls - 1))]
    over = f"{rounds} rounds of 2 to {MOST_AGENTS} agents over {WEBS} webs"
    return [
        row("agents accept at once: rounds with one winner, the others told who", str(rounds), str(rounds - len(wrong)), over, met=not wrong),
        row("agents accept at once: events of a new owner", str(rounds), str(events), over, met=events == rounds),
        row("agents accept at once: owners in conflict (I6)", "0", str(broken["I6"]), over, met=not broken["I6"]),
        row("agents accept at once: told within, 99th percentile", "≤ 0.5 s", f"{slowest:.2f} s", f"{calls} answers", met=slowest <= TOLD_WITHIN_S),
        row(
            "bot's reply after a take-over: dropped and recorded",
            f"{late}, 0 spoken",
            f"{dropped}, {spoken} spoken",
            f"{late} replies",
            met=dropped == late and not spoken,
        ),
    ]


def _round(kit: SmallKit, threads: ThreadPoolExecutor, agents: Sequence[Agent], number: int, wrong: list[str], told: list[float]) -> None:
    customer = kit.customer(f"c{number}")
    customer.asks_for_a_person()
    barrier = Barrier(len(agents))

    def accept(agent: Agent) -> tuple[int | None, Any]:
        barrier.wait(30)
        return agent.accepts(customer.conversation)

    answers = list(threads.map(accept, agents))
    told.extend(call.took_s for call in kit.record.calls[-len(agents) :] if call.what == "accept")
    winners = [agent.name for agent, (status, _) in zip(agents, answers, strict=True) if status == 200]
    losers = [answer["error"] for status, answer in answers if status == 409]
    named = {f"agent:{error['detail']['agent']['id']}" for error in losers if error["code"] == "already_taken"}
    if len(winners) != 1 or len(losers) != len(agents) - 1 or named != set(winners):
        wrong.append(f"round {number}: winners {winners}, losers were told {named}, statuses {[status for status, _ in answers]}")
    customer.line.close()


def _bot_too_late(kit: SmallKit, agent: Agent, rounds: int) -> tuple[int, int, int]:
    """How often an agent took over while Rasa thought, in how many of these the turn is marked as dropped, and how often the bot spoke after all."""
    kit.neighbours.slow_s = LATE_S
    asked = []
    for number in range(rounds):
        customer = kit.customer(f"late {number}")
        seq = customer.says()
        status, answer = agent.accepts(customer.conversation)
        assert status == 200, answer
        asked.append((customer.conversation, seq))
    kit.neighbours.leaving.wait(3 * LATE_S)
    kit.neighbours.slow_s = 0.0
    snapshot = kit.settled()
    turns = {(turn["conversation_id"], turn["seq"]): turn for turn in snapshot.turns}
    dropped = sum(turns[key]["dropped"] == "owner_agent" and turns[key]["outcome"] == "handed_off" for key in asked)
    theirs = {conversation for conversation, _ in asked}
    spoken = sum(event["sender"] == "bot" for event in snapshot.events if event["conversation_id"] in theirs)
    return rounds, dropped, spoken


def agent_gone(folder: Path, gone_s: float, agents: int = 3) -> list[Row]:
    """Agents take a conversation, their desk is seen once, and then no more: how long until the conversation waits in the queue again."""
    with small_kit(folder, agents=agents, agent_gone_s=gone_s) as kit:
        web = kit.web()
        held = []
        for number in range(agents):
            agent, customer = kit.agent(number), kit.customer(f"left alone {number}")
            customer.asks_for_a_person()
            status, answer = agent.accepts(customer.conversation)
            assert status == 200, (status, answer, kit.log()[-1500:])
            agent.line.close()
            held.append((customer.conversation, time.monotonic()))
        took = [_relieved_after_s(kit, conversation, since, gone_s) for conversation, since in held]
        found = violations(kit.record, kit.settled())
        web.stop()
    slowest, least = max(took), min(took)
    limit = gone_s + LOOKED_AFTER_EVERY_S + 1
    told = f"after {least:.1f} to {slowest:.1f} s"
    met = gone_s - 1 <= least and slowest <= limit and not found
    return [row(f"agent gone for {gone_s:g} s: relieved, one event", f"after {gone_s:g} s, at most {limit:g} s", told, f"{agents} agents", met=met)]


def _relieved_after_s(kit: SmallKit, conversation: str, since: float, gone_s: float) -> float:
    end_at = since + gone_s + 20
    while time.monotonic() < end_at:
        for event in kit.snapshot().events:
            if event["conversation_id"] == conversation and event["type"] == "owner" and event["data"]["reason"] == "agent_gone":
                return time.monotonic() - since
        time.sleep(0.2)
    return float("inf")
