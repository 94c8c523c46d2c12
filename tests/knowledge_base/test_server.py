"""The service over HTTP: the golden forms, the one shape of errors, and a client that understands both."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer

import pytest

from knowledge_base.exceptions import SearchRefused, SearchUnavailable
from knowledge_base.search_client import SearchClient, article_answer, search_answer
from knowledge_base.searching import REMEMBERED, REMEMBERED_LENGTH
from knowledge_base.server import SearchServer

GOLDEN = Path(__file__).resolve().parent.parent / "contract"
SECRET = "inner-secret"


def golden(name: str):
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def shape(value):
    """Keys and kinds of a form; numbers are one kind, a list has the shape of its first entry."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def call(server, method, path, body=None, secret=SECRET, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    try:
        headers = {**({"Authorization": f"Bearer {secret}"} if secret is not None else {}), **(headers or {})}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_search_answers_in_the_golden_form(server):
    """Exactly the keys of the example, and of their kinds."""
    status, answer = call(server, "POST", "/search", json.dumps(golden("search_request.json")))
    assert status == 200
    assert shape(answer) == shape(golden("search_response.json"))
    assert answer["verdict"] in ("answer", "offer", "none")


def test_articles_answer_in_the_golden_form(server):
    """Steps and their choices included."""
    status, answer = call(server, "GET", "/articles/router-red-light")
    assert status == 200
    example = golden("article_response.json")
    assert shape({**answer, "steps": []}) == shape({**example, "steps": []})
    assert [shape({**step, "choices": []}) for step in answer["steps"]] == [shape({**example["steps"][0], "choices": []})] * 3
    assert answer["steps"][1]["choices"] == example["steps"][1]["choices"]
    assert {key: answer[key] for key in ("slug", "url", "section", "anchor")} == {key: example[key] for key in ("slug", "url", "section", "anchor")}
    assert call(server, "GET", "/articles/refund-times")[1]["steps"] == []


@pytest.mark.parametrize("slug", ["nothing", "staff-notes", "new-tracking", "", "..", "%00", "a%2F..%2Fb", "%F0%9F", "x" * 5_000])
def test_what_is_not_public_is_not_found(server, slug):
    """Internal, draft and absent ones look the same."""
    assert call(server, "GET", f"/articles/{slug}") == (404, golden("error.json"))


def test_health(server, shop):
    """The live generation, its public articles, the problems."""
    status, answer = call(server, "GET", "/health")
    assert (status, answer["articles"], answer["problems"]) == (200, 5, 0)
    assert answer["generation"] == server.live.searcher.loaded.name


@pytest.mark.parametrize("secret", [None, "", "wrong", "inner-secre", "inner-secret ä"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/search"), ("GET", "/health"), ("GET", "/articles/refund-times"), ("GET", "/nothing")])
def test_without_the_secret_nothing_is_said(server, method, path, secret):
    """The same for every path, also for one that does not exist."""
    status, answer = call(server, method, path, secret=secret.encode() if secret else secret)
    assert status == 401
    assert shape(answer) == shape(golden("error.json"))
    assert answer["error"]["code"] == "unauthorized"


BAD = [
    (b"", 400, "bad_json"),
    (b"{", 400, "bad_json"),
    (b"\xff", 400, "bad_json"),
    (b'{"text": NaN}', 400, "bad_json"),
    (b"[" * 60_000, 400, "bad_json"),
    (b"[]", 422, "bad_request"),
    (b"{}", 422, "bad_request"),
    (b'{"text": 1}', 422, "bad_request"),
    (b'{"text": null}', 422, "bad_request"),
    (b'{"text": "a", "limit": 0}', 422, "bad_request"),
    (b'{"text": "a", "limit": 21}', 422, "bad_request"),
    (b'{"text": "a", "limit": true}', 422, "bad_request"),
    (b'{"text": "a", "limit": "3"}', 422, "bad_request"),
    (b'{"text": "a", "limit": 1.5}', 422, "bad_request"),
    (b'{"text": "a\\u0000b"}', 422, "bad_text"),
    (b'{"text": "a\\ud800b"}', 422, "bad_text"),
    (b'{"text": "' + b"a" * 65_536 + b'"}', 413, "too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD)
def test_a_bad_request_is_refused_in_the_one_shape(server, body, status, code):
    """The fitting status, and the service answers on."""
    found, answer = call(server, "POST", "/search", body)
    assert (found, answer["error"]["code"]) == (status, code)
    assert shape(answer) == shape(golden("error.json"))
    assert call(server, "POST", "/search", b'{"text": "router"}')[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 404),
        ("GET", "/search", {}, 404),
        ("POST", "/health", {}, 404),
        ("PUT", "/search", {}, 501),
        ("DELETE", "/articles/a", {}, 501),
        ("POST", "/search", {"Content-Length": "-1"}, 411),
        ("POST", "/search", {"Content-Length": "x"}, 411),
        ("POST", "/search", {"Content-Length": "9" * 30}, 413),
    ],
)
def test_what_does_not_exist_is_refused_in_the_one_shape(server, method, path, headers, status):
    """Other paths, other methods, other lengths."""
    found, answer = call(server, method, path, headers=headers)
    assert found == status
    assert shape(answer) == shape(golden("error.json"))


def test_junk_does_not_end_the_service(server, client):
    """What is no HTTP at all."""
    for junk in (b"\0" * 100, b"GET\r\n\r\n", b"POST /search HTTP/1.1\r\n\r\n", b"A" * 70_000 + b"\r\n\r\n"):
        with socket.create_connection(server.server_address, timeout=5) as connection:
            connection.sendall(junk)
            with contextlib.suppress(OSError):  # it may have been reset already
                connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert client.health().articles == 5


def test_ten_thousand_characters_are_answered(client):
    """Cut, not refused."""
    assert client.search("track my parcel " * 625).hits[0].slug == "where-is-my-order"


def test_the_client_understands_the_service(client):
    """Typed answers, None for an article that is not there."""
    answer = client.search("track my parcel", limit=2)
    assert answer.hits[0].slug == "where-is-my-order"
    assert len(answer.hits) == 2
    assert answer.cutoffs.verdict(answer.hits[0].confidence) == answer.verdict
    assert client.article("router-red-light").steps[1].choices[1].target == "router-orange-light"
    assert client.article("../health") is None
    assert client.health().problems == 0


def test_the_client_reads_the_golden_files():
    """The same forms that the other side is tested against."""
    assert search_answer(golden("search_response.json")).hits[0].slug == "router-red-light"
    assert article_answer(golden("article_response.json")).steps[1].choices[0].title == "Still red"


def test_a_refusal_says_why(server):
    """A wrong secret is for the operator to see, with its code."""
    client = SearchClient(f"http://127.0.0.1:{server.server_address[1]}", "wrong")
    with pytest.raises(SearchRefused) as refused:
        client.health()
    client.close()
    assert (refused.value.status, refused.value.code) == (401, "unauthorized")


def test_a_service_without_an_index_is_unavailable(live):
    """Until the first generation is there."""
    server = SearchServer(0, live, SECRET)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    client = SearchClient(f"http://127.0.0.1:{server.server_address[1]}", SECRET)
    with pytest.raises(SearchUnavailable, match="answered 503"):
        client.search("router")
    client.close()
    server.shutdown()
    server.server_close()
    thread.join(10)


class Stub(StreamRequestHandler):
    """Answers every request with the same bytes, or not at all."""

    answer = b""

    def handle(self) -> None:
        self.connection.recv(65_536)
        if self.answer:
            self.wfile.write(self.answer)
        else:
            self.connection.settimeout(2)
            self.connection.recv(1)


@pytest.mark.parametrize(
    "body", ["", "not json", "[]", "{}", '{"generation": 1}', '{"generation": "a", "verdict": "answer", "cutoffs": {}, "hits": []}', None, "hangs"]
)
def test_whatever_else_comes_back_search_is_unavailable(body):
    """Not JSON, another form, an error page, silence: one typed error within the time given."""
    raw = (
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"
        if body is None
        else f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    handler = type("Handler", (Stub,), {"answer": b"" if body == "hangs" else raw})
    with TCPServer(("127.0.0.1", 0), handler) as stub:
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        client = SearchClient(f"http://127.0.0.1:{stub.server_address[1]}", SECRET)
        with pytest.raises(SearchUnavailable):
            client.search("router", timeout_s=0.3)
        client.close()
        stub.shutdown()
        thread.join(10)


def test_nobody_there_is_unavailable():
    """A port where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = SearchClient(f"http://127.0.0.1:{taken.getsockname()[1]}", SECRET)
        with pytest.raises(SearchUnavailable, match="cannot be reached"):
            client.health(0.5)
        client.close()


def test_a_repeated_question_is_answered_from_memory(client, embedder, shop, live):
    """However it is spaced; another limit, and another generation, look anew; health counts."""
    before = (client.health().remembered, client.health().looked_up)
    embedder.embedded.clear()
    first = client.search("track my parcel", limit=2)
    assert client.search("  track my\n parcel ", limit=2) == first
    assert embedder.embedded == ["track my parcel"]
    client.search("track my parcel", limit=3)
    assert (client.health().remembered - before[0], client.health().looked_up - before[1]) == (1, 2)
    shop.add("orders/where-is-my-order", "Where is my order", "track my parcel", body="Open the new tracking page.")
    live.follow()
    embedder.embedded.clear()
    second = client.search("track my parcel", limit=2)
    assert "new tracking page" in str(second.hits[0].body)
    assert embedder.embedded == ["track my parcel"]
    assert (client.health().remembered, client.health().looked_up) == (0, 1)


def test_memory_of_questions_is_bounded(client, live, embedder):
    """The oldest go; long ones never stay."""
    for number in range(REMEMBERED + 1):
        live.searcher.search(f"parcel {number}", 3)
    embedder.embedded.clear()
    live.searcher.search(f"parcel {REMEMBERED}", 3)
    assert embedder.embedded == []
    live.searcher.search("parcel 0", 3)
    live.searcher.search("parcel " * REMEMBERED_LENGTH, 3)
    live.searcher.search("parcel " * REMEMBERED_LENGTH, 3)
    assert len(embedder.embedded) == 3


def test_memory_does_not_outlive_what_it_was_read_from(client, live):
    """A question answered before is refused like any other once the articles' file was written to."""
    client.search("track my parcel")
    with open(live.searcher.loaded.folder / "articles.sqlite", "ab") as file:
        file.write(b"\0")
    with pytest.raises(SearchUnavailable):
        client.search("track my parcel")
