"""What the customer was shown before a person came: the agent sees it, and need not send it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from desk.model import Event, ShownArticle

_VERDICTS = {True: "solved", False: "not_solved", None: None}


def shown_articles(transcript: Iterable[Event], opened: Set[str | None], verdicts: Mapping[str, bool | None]) -> list[ShownArticle]:
    """The articles of a transcript in the order first shown, each with its highest confidence."""
    shown: dict[str, ShownArticle] = {}
    for event in transcript:
        for source in event.data.get("sources") or ():
            slug, before = source["slug"], shown.get(source["slug"])
            if before is None or (source["confidence"] or 0) > (before.confidence or 0):
                shown[slug] = ShownArticle(
                    slug=slug,
                    title=source["title"],
                    section=source["section"],
                    confidence=source["confidence"],
                    opened=slug in opened,
                    verdict=_VERDICTS[verdicts.get(slug)],
                )
    return list(shown.values())
