"""The steps of troubleshooting guides, and what can be wrong with the ways through them.

A ``## Step …`` section is a step. A list in it whose every item is one link is the step's choices; a link to ``#anchor``
leads to another step, any other to another article. Without choices a step leads to the one after it ("it did not help");
after the last one the bot offers a person, so a last step is no dead end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from .model import Choice, Step
from .nodes import inline_text, plain_text, to_nodes
from .rendering import Page, Section

STEP = re.compile(r"step\b[\s\d.:)–—-]*", re.IGNORECASE)


@dataclass(frozen=True)
class GuideFault:
    """Something wrong with a guide; ``line`` counts from 0 inside its Markdown. ``target`` is where a choice leads that leads nowhere."""

    line: int
    reason: str
    target: str = ""


def steps_of(page: Page, path: str = "") -> tuple[Step, ...]:
    """The steps of a guide in their order. ``path`` is the article's address, for links inside it."""
    return tuple(_step(section, path) for section in _step_sections(page))


def guide_faults(page: Page, slug: str, articles: frozenset[str]) -> list[GuideFault]:
    """No steps, choices that lead nowhere, steps that no way reaches, and steps from which every way goes round in a circle."""
    sections = _step_sections(page)
    steps = steps_of(page)
    if not steps:
        return [GuideFault(0, "a guide without steps: wanted sections that begin with '## Step'")]
    lines = {step.id: section.line for step, section in zip(steps, sections, strict=True)}
    faults = []
    for step in steps:
        for choice in step.choices:
            if choice.target not in lines and (choice.target not in articles or choice.target == slug):
                reason = f"the choice {choice.title!r} leads to {choice.target!r}, which is neither a step nor an article"
                faults.append(GuideFault(lines[step.id], reason, choice.target))
    ways = ways_on(steps)
    reached = _reached(ways, {steps[0].id})
    faults += [GuideFault(lines[step.id], f"no way leads to the step {step.title!r}") for step in steps if step.id not in reached]
    ending = _ending(ways)
    faults += [GuideFault(lines[step.id], f"from the step {step.title!r} every way is a loop") for step in steps if step.id not in ending]
    return sorted(faults, key=lambda fault: (fault.line, fault.reason))


def ways_on(steps: Sequence[Step]) -> dict[str, set[str]]:
    """Where each step leads: ids of steps, slugs of articles, and ``""`` for the end of the guide."""
    following = [step.id for step in steps[1:]] + [""]
    return {step.id: {choice.target for choice in step.choices} or {after} for step, after in zip(steps, following, strict=True)}


def _reached(ways: dict[str, set[str]], start: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        step = waiting.pop()
        if step not in reached:
            reached.add(step)
            waiting += ways.get(step, set())
    return reached


def _ending(ways: dict[str, set[str]]) -> set[str]:
    """The steps from which some way leaves the guide."""
    backwards: dict[str, set[str]] = {}
    for step, targets in ways.items():
        for target in targets:
            backwards.setdefault(target, set()).add(step)
    return _reached(backwards, {target for target in backwards if target not in ways})


def _step_sections(page: Page) -> list[Section]:
    """Step sections with what stands under their lower headings."""
    found: list[Section] = []
    inside = False
    for section in page.sections:
        if section.heading is None or (section.heading.level > 2 and not inside):
            continue
        if section.heading.level == 2:
            inside = bool(STEP.match(section.heading.text))
            if inside:
                found.append(section)
        else:
            found[-1] = Section(found[-1].heading, found[-1].tokens + section.tokens, found[-1].line)
    return found


def _step(section: Section, path: str) -> Step:
    rest, choices = _take_choices(section.tokens)
    name = section.heading.text if section.heading else ""
    anchor = section.heading.anchor if section.heading else ""
    return Step(anchor, STEP.sub("", name, count=1) or name, plain_text(rest), to_nodes(rest, path), choices)


def _take_choices(tokens: Sequence[Token]) -> tuple[list[Token], tuple[Choice, ...]]:
    """The tokens without the lists of choices, and the choices."""
    rest: list[Token] = []
    choices: list[Choice] = []
    position = 0
    while position < len(tokens):
        end = _list_end(tokens, position)
        found = _choices(tokens[position:end])
        choices += found
        if not found:
            rest += tokens[position:end]
        position = end
    return rest, tuple(choices)


def _list_end(tokens: Sequence[Token], start: int) -> int:
    """Where the top-level list that begins at ``start`` ends; the next token for anything else."""
    if tokens[start].type not in ("bullet_list_open", "ordered_list_open"):
        return start + 1
    depth = 0
    for position in range(start, len(tokens)):
        depth += tokens[position].nesting
        if depth == 0:
            return position + 1
    return len(tokens)


def _choices(block: Sequence[Token]) -> list[Choice]:
    """The choices of a list, or none when any of its items is more than one link."""
    if len(block) < 2:
        return []
    choices = []
    items = [token for token in block if token.type == "inline"]
    if len(items) != sum(token.type == "list_item_open" for token in block):
        return []
    for item in items:
        children = [child for child in item.children or [] if child.type != "text" or child.content.strip()]
        links = [child for child in children if child.type == "link_open"]
        if len(links) != 1 or children[0].type != "link_open" or children[-1].type != "link_close":
            return []
        target = target_of(str(links[0].attrGet("href") or ""))
        choices.append(Choice(inline_text(children), target))
    return choices


def target_of(href: str) -> str:
    """Where a choice with this link leads: the id of a step, or the slug of an article."""
    if href.startswith("#"):
        return href[1:]
    return href.removeprefix("/help/").split("#")[0] if href.startswith("/help/") else href
