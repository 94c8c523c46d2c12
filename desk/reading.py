"""What was read and searched in the help centre, joined to the conversation whose link led there."""

from __future__ import annotations

from collections.abc import Sequence

from desk.model import Notice
from desk.store import conversations as rows
from desk.tokens import Tokens
from desk.turns import Notify
from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.ledger import Ledger


class Reading:
    """Records article views and searches in the ledger. Raises `StoreError` when that cannot be done."""

    def __init__(self, database: Database, ledger: Ledger, *, tokens: Tokens, clock: Clock, notify: Notify) -> None:
        self._database = database
        self._ledger = ledger
        self._tokens = tokens
        self._clock = clock
        self._notify = notify

    def article_view(self, slug: str, ref: str | None) -> None:
        """An article was opened; ``ref`` is what the chat put into its address, None or worthless elsewhere."""
        conversation_id = self._tokens.referred(ref) if ref else None
        with self._database.writing() as connection:
            conversation = rows.find_conversation(connection, conversation_id) if conversation_id else None
            visitor_id = conversation.visitor_id if conversation else None
            view = self._ledger.article_view(slug, visitor_id=visitor_id, conversation_id=conversation.id if conversation else None)
            self._ledger.record(connection, view)
            if conversation is not None:
                rows.add_desk_change(connection, conversation.id, "view", self._clock())
        if conversation is not None:
            self._notify(Notice(conversation_id=conversation.id))

    def search(self, query: str, slugs: Sequence[str], answerable: bool) -> None:
        """Something was searched, and these articles were shown."""
        self._ledger.search(query, slugs, answerable)
