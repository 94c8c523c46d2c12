"""The ledger over HTTP: what comes in from shops and telephones, what goes out to spreadsheets and process mining."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from werkzeug.test import TestResponse

from tests.widget.conftest import Customer, Kit
from tests.widget.test_customer_api import code

PURCHASE = {"id": "order-1", "customer": "c-7", "kind": "purchase", "stage": "purchase", "channel": "store", "at": "2026-11-01T12:00:00+01:00"}


class Shop:
    """An outside system with an API key."""

    def __init__(self, kit: Kit) -> None:
        self.boss = kit.staff("Boss", "administrator")
        made = self.boss.post("/api/keys", {"name": "the shop"}).get_json()
        self.client, self.key, self.key_id = kit.app.test_client(), made["key"], made["id"]

    def sends(self, *touchpoints: Any) -> TestResponse:
        return self.client.post("/api/touchpoints", json={"touchpoints": list(touchpoints)}, headers=self.headers)

    def reads(self, path: str = "") -> TestResponse:
        return self.client.get(f"/api/touchpoints{path}", headers=self.headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture
def shop(kit: Kit) -> Shop:
    return Shop(kit)


def test_a_touchpoint_from_outside_is_recorded_once(shop: Shop) -> None:
    """The same id again, in the same call or another, is counted and changes nothing."""
    assert shop.sends(PURCHASE).get_json() == {"accepted": 1, "repeated": 0, "refused": []}
    changed = PURCHASE | {"kind": "renewal"}
    assert shop.sends(changed, PURCHASE | {"id": "order-2"}, PURCHASE | {"id": "order-2"}).get_json() == {"accepted": 1, "repeated": 2, "refused": []}
    first, second = shop.reads().get_json()["touchpoints"]
    assert (first["id"], first["kind"], first["at"], first["actor"]) == ("order-1", "purchase", "2026-11-01T11:00:00+00:00", "customer")
    assert (first["seq"], second["seq"]) == (1, 2)


BAD: dict[str, dict[str, Any]] = {
    "no id": {"id": None},
    "id of another form": {"id": "a b"},
    "id too long": {"id": "x" * 65},
    "no customer": {"customer": ""},
    "unknown kind": {"kind": "abduction"},
    "kind of another type": {"kind": ["purchase"]},
    "unknown stage": {"stage": "afterlife"},
    "unknown channel": {"channel": "pigeon"},
    "unknown actor": {"actor": "ghost"},
    "unknown emotion": {"emotion": "meh"},
    "no time": {"at": None},
    "time without a zone": {"at": "2026-11-01T12:00:00"},
    "no such day": {"at": "2026-02-30T12:00:00Z"},
    "time as a number": {"at": 1_700_000_000},
    "before time began": {"at": "0001-01-01T00:00:00+14:00"},
    "after time ended": {"at": "9999-12-31T23:59:59-14:00"},
    "confidence above one": {"confidence": 1.5},
    "confidence as a text": {"confidence": "high"},
    "confidence as a bool": {"confidence": True},
    "negative latency": {"latency_ms": -1},
    "latency of half a millisecond": {"latency_ms": 0.5},
    "enormous latency": {"latency_ms": 2**31},
    "article with a line feed": {"article": "a\nb"},
    "outcome too long": {"outcome": "x" * 33},
    "data as a list": {"data": []},
    "too much data": {"data": {"x": "y" * 5000}},
    "unknown field": {"conversation_id": "of another"},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_what_breaks_a_rule_is_refused_alone(shop: Shop, change: dict[str, Any]) -> None:
    """By its place in the call and in words; the others are recorded."""
    answer = shop.sends(PURCHASE, PURCHASE | {"id": "order-2"} | change, PURCHASE | {"id": "order-3"}).get_json()
    assert (answer["accepted"], answer["repeated"]) == (2, 0)
    (refused,) = answer["refused"]
    assert (refused["index"], refused["code"]) == (1, "invalid")
    assert next(iter(change)).partition("_")[0] in refused["message"]


@pytest.mark.parametrize("body", [{}, {"touchpoints": None}, {"touchpoints": {}}, {"touchpoints": [PURCHASE] * 1001}])
def test_a_call_of_another_form_is_refused_whole(shop: Shop, body: dict[str, Any]) -> None:
    """At most a thousand, in a list."""
    assert code(shop.client.post("/api/touchpoints", json=body, headers=shop.headers)) == (422, "invalid")
    assert [entry["index"] for entry in shop.sends(None, 5, "x", []).get_json()["refused"]] == [0, 1, 2, 3]


def test_a_thousand_at_once_are_taken(shop: Shop) -> None:
    """More than the messages of customers may be, and numbered without gaps."""
    assert shop.sends(*(PURCHASE | {"id": f"o-{n}"} for n in range(1000))).get_json()["accepted"] == 1000
    first = shop.reads("?limit=600").get_json()
    second = shop.reads(f"?limit=600&since={first['next']}").get_json()
    assert [entry["seq"] for entry in first["touchpoints"] + second["touchpoints"]] == list(range(1, 1001))
    assert second["next"] is None


def test_touchpoints_are_found_by_conversation_and_by_customer(shop: Shop, customer: Customer) -> None:
    """What an outsider sent of a customer stands beside what the chat recorded of its own."""
    shop.sends(PURCHASE)
    customer.says("hello")
    kinds = [entry["kind"] for entry in shop.reads(f"?conversation={customer.id}").get_json()["touchpoints"]]
    assert kinds == ["question", "answer"]
    assert [entry["id"] for entry in shop.reads("?customer=c-7").get_json()["touchpoints"]] == ["order-1"]
    assert shop.reads("?customer=nobody").get_json() == {"touchpoints": [], "next": None}


def test_a_revoked_key_opens_nothing(shop: Shop, kit: Kit) -> None:
    """From then on; only its digest had been kept."""
    assert shop.key not in str(kit.house.rows("SELECT * FROM api_keys"))
    assert shop.boss.write("DELETE", f"/api/keys/{shop.key_id}").status_code == 204
    assert code(shop.sends(PURCHASE)) == (401, "unauthorized")
    assert code(shop.reads()) == (401, "unauthorized")
    assert code(shop.boss.write("DELETE", f"/api/keys/{shop.key_id}")) == (404, "not_found")


def test_an_api_key_opens_the_ledger_alone(shop: Shop, customer: Customer) -> None:
    """Neither the desk nor the making of keys nor a customer's conversation."""
    for method, path in (("POST", "/api/keys"), ("GET", "/api/desk/conversations"), ("GET", f"/api/conversations/{customer.id}")):
        assert shop.client.open(path, method=method, json={} if method == "POST" else None, headers=shop.headers).status_code == 401


FORMULAS = ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(A1)"]


def test_the_csv_runs_no_formula(shop: Shop) -> None:
    """A quote before each, and everything else as it was, commas and quotes included."""
    shop.sends(*(PURCHASE | {"id": f"o-{n}", "article": formula} for n, formula in enumerate(FORMULAS)))
    shop.sends(PURCHASE | {"id": "-1", "outcome": 'a "b", c', "data": {"x": "=1"}})
    answer = shop.reads("/export?format=csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["article"] for row in rows] == [*(f"'{formula}" for formula in FORMULAS), ""]
    assert (rows[-1]["id"], rows[-1]["outcome"], json.loads(rows[-1]["data"])) == ("'-1", 'a "b", c', {"x": "=1"})


def test_json_lines_are_the_same_rows_as_the_pages(shop: Shop, customer: Customer) -> None:
    """From after a cursor too."""
    customer.says("hello")
    shop.sends(PURCHASE)
    lines = [json.loads(line) for line in shop.reads("/export?format=jsonl").text.splitlines()]
    assert lines == shop.reads().get_json()["touchpoints"]
    assert [json.loads(line)["seq"] for line in shop.reads("/export?format=jsonl&since=2").text.splitlines()] == [3]
    assert code(shop.reads("/export?format=xml")) == (422, "invalid")


def test_the_xes_is_xml_whatever_is_in_it(shop: Shop, customer: Customer) -> None:
    """One trace an entry, named after the visitor."""
    customer.says("<&\"'>")
    shop.sends(PURCHASE | {"article": '<a href="x">&amp;</a>', "outcome": "']]>"})
    log = ElementTree.fromstring(shop.reads("/export?format=xes").data)
    space = "{http://www.xes-standard.org/}"
    traces = log.findall(f"{space}trace")
    assert len(traces) == 3
    values = {string.get("key"): string.get("value") for string in traces[2].iter(f"{space}string")}
    assert (values["article"], values["outcome"]) == ('<a href="x">&amp;</a>', "']]>")
    (name,) = traces[2].findall(f"{space}string")
    assert (name.get("key"), name.get("value")) == ("concept:name", "c-7")
    (date,) = traces[2].iter(f"{space}date")
    assert date.get("value") == "2026-11-01T11:00:00+00:00"


def test_an_empty_ledger_exports_nothing(shop: Shop) -> None:
    """Headings alone."""
    assert shop.reads("/export").text.count("\r\n") == 1
    assert shop.reads("/export?format=jsonl").text == ""
    assert len(ElementTree.fromstring(shop.reads("/export?format=xes").data)) == 3


def test_a_long_export_leaves_the_database_to_others(shop: Shop, kit: Kit, customer: Customer) -> None:
    """Page by page: messages are taken between two pieces, and what they add is exported too."""
    for batch in range(3):
        shop.sends(*(PURCHASE | {"id": f"o-{batch}-{n}"} for n in range(700)))
    pieces = shop.reads("/export?format=jsonl").iter_encoded()
    read = next(pieces)
    assert customer.says("hello").status_code == 202
    rows = b"".join([read, *pieces])
    assert [json.loads(line)["seq"] for line in rows.splitlines()] == list(range(1, 2103))
