"""The description of the API, `widget/openapi.yml`, as something to hold answers against."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from flask.testing import FlaskClient
from werkzeug.routing import Map
from werkzeug.test import TestResponse

from widget.operations import OPENAPI

Schema = Mapping[str, Any]
Call = tuple[str, str]
"""A method in capitals and a path as the description has it."""
METHODS = ("get", "post", "put", "patch", "delete")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


class Description:
    """The document, read once."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
        self.calls: dict[Call, dict[str, Any]] = {
            (method.upper(), path): {**item[method], "in_path": item.get("parameters", [])}
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        }

    def found(self, node: Schema) -> Schema:
        """What a node means: what its ``$ref`` leads to, with its own words added."""
        if "$ref" not in node:
            return node
        target: Any = self.document
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return {**self.found(target), **{key: value for key, value in node.items() if key != "$ref"}}

    def schema(self, name: str) -> Schema:
        """One of the named schemas."""
        found: Schema = self.document["components"]["schemas"][name]
        return found

    def response(self, call: Call, status: int) -> Schema | None:
        """What is said of a call's answer with this status."""
        said = self.calls[call]["responses"].get(str(status))
        return None if said is None else self.found(said)

    def faults(self, schema: Schema, value: Any, where: str = "body") -> list[str]:
        """What a value breaks of a schema. Stricter than the standard: where properties are listed no other may be there."""
        schema = self.found(schema)
        if not _is_of(schema.get("type"), value):
            return [f"{where} is no {schema['type']}: {value!r}"]
        return [*self._combined(schema, value, where), *_plain(schema, value, where), *self._inside(schema, value, where)]

    def _combined(self, schema: Schema, value: Any, where: str) -> Iterator[str]:
        for name in ("oneOf", "anyOf"):
            if name in schema:
                each = [self.faults(one, value, where) for one in schema[name]]
                if (fitting := each.count([])) == 0:
                    yield f"{where} fits none: {each}"
                elif name == "oneOf" and fitting > 1:
                    yield f"{where} fits {fitting} at once"

    def _inside(self, schema: Schema, value: Any, where: str) -> Iterator[str]:
        if isinstance(value, dict):
            properties, others = schema.get("properties"), schema.get("additionalProperties")
            yield from (f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value)
            for name, entry in value.items():
                if properties and name in properties:
                    yield from self.faults(properties[name], entry, f"{where}.{name}")
                elif isinstance(others, dict):
                    yield from self.faults(others, entry, f"{where}.{name}")
                elif properties is not None:
                    yield f"{where}.{name} is not described"
        if isinstance(value, list) and "items" in schema:
            for index, entry in enumerate(value):
                yield from self.faults(schema["items"], entry, f"{where}[{index}]")


def _is_of(types: str | list[str] | None, value: Any) -> bool:
    if types is None:
        return True
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def _plain(schema: Schema, value: Any, where: str) -> Iterator[str]:
    if "const" in schema and value != schema["const"]:
        yield f"{where} is not {schema['const']!r}: {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is none of {schema['enum']}: {value!r}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} does not match {schema['pattern']}: {value!r}"
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where} is out of range: {value!r}"
    length = len(value) if isinstance(value, str | list) else 0
    least, most = ("minLength", "maxLength") if isinstance(value, str) else ("minItems", "maxItems")
    if not schema.get(least, 0) <= length <= schema.get(most, length):
        yield f"{where} has a length of {length}"


class Caller:
    """Makes calls as a client does, and holds every answer against the description."""

    def __init__(self, client: FlaskClient, rules: Map, description: Description) -> None:
        self._client = client
        self._rules = rules.bind("localhost")
        self._description = description
        self.headers: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None, **arguments: Any) -> TestResponse:
        """Make a call; ``body`` is sent as JSON."""
        headers = {**self.headers, **arguments.pop("headers", {})}
        if body is not None:
            arguments["json"] = body
        answer = self._client.open(path, method=method, headers=headers, **arguments)
        called = (method, self._template(method, path.partition("?")[0]))
        assert not list(self._faults(called, answer)), "\n".join([f"{method} {path} → {answer.status_code}", *self._faults(called, answer)])
        return answer

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[tuple[str, str | None, Any]]]:
        """The frames of a stream, for as long as they are wanted."""
        answer = self._client.get(path, headers={**self.headers, "Accept": "text/event-stream"})
        called = ("GET", self._template("GET", path.partition("?")[0]))
        assert not list(self._faults(called, answer))
        yield frames(answer.iter_encoded())
        answer.close()

    def _template(self, method: str, path: str) -> str:
        rule, _ = self._rules.match(path, method=method, return_rule=True)
        return template(rule.rule)

    def _faults(self, call: Call, answer: TestResponse) -> Iterator[str]:
        said = self._description.response(call, answer.status_code)
        if said is None:
            yield "the status is not described"
            return
        content = said.get("content", {})
        if answer.mimetype not in content:
            if content or answer.data:
                yield f"{answer.mimetype} is not described"
            return
        if answer.mimetype == "application/json":
            yield from self._description.faults(content["application/json"]["schema"], answer.json)
            if answer.json and isinstance(answer.json.get("error"), dict) and f"`{answer.json['error']['code']}`" not in said["description"]:
                yield f"the code {answer.json['error']['code']} is not described"


def template(rule: str) -> str:
    """A path as the description writes it, ``{id}`` for Flask's ``<id>``."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def frames(pieces: Iterator[str | bytes]) -> Iterator[tuple[str, str | None, Any]]:
    """Kind, id and data of each event of a stream; comments are passed over."""
    text = ""
    for piece in pieces:
        text += piece.decode() if isinstance(piece, bytes) else piece
        *whole, text = text.split("\n\n")
        for block in whole:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if fields:
                yield fields["event"], fields.get("id"), json.loads(fields["data"])
