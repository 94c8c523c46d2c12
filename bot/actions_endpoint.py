"""The call to the action server, with an end to what is read of its answer."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import ClientPayloadError, ClientResponse
from rasa.utils.endpoints import ClientResponseError, EndpointConfig, concat_url

MOST_BYTES = 1_048_576
"""As much as web and the actions read of an answer. A real one has some 10 KiB; without an end each turn held 50 MB that came, several times over."""


class ActionsEndpoint(EndpointConfig):
    """Rasa's own, but for the end."""

    @classmethod
    def in_place_of(cls, stock: EndpointConfig) -> ActionsEndpoint:
        """The same address and headers."""
        return cls(stock.url, headers=stock.headers)

    async def request(
        self, method: str = "post", subpath: str | None = None, content_type: str | None = None, compress: bool = False, **kwargs: Any
    ) -> Any:
        """The parsed answer, None if it is not JSON by its type. Raises Rasa's `ClientResponseError` and aiohttp's `ClientError`, as Rasa's own."""
        address = concat_url(self.url or "", subpath)
        async with self.session() as session, session.request(method, address, compress=compress, **kwargs) as answer:
            content = await _read(answer)
            if answer.status >= 400:
                raise ClientResponseError(answer.status, answer.reason or "", content.decode("utf-8", "replace"))
            return json.loads(content) if answer.content_type == "application/json" else None


async def _read(answer: ClientResponse) -> bytes:
    """All of it. Raises `ClientPayloadError` as soon as it is too long."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > MOST_BYTES:
            answer.close()
            raise ClientPayloadError(f"the action server's answer is longer than {MOST_BYTES} bytes")
    return bytes(content)
