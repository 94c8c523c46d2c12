"""Who a customer is, as their site signed it: good ones are taken once, and nothing else is ever."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import threading
from typing import Any

import jwt
import pytest

from desk.customers import Customers
from desk.exceptions import IdentityInvalid, NotFound, TokenInvalid
from desk.identity import SignedIdentities
from tests.desk.house import House

SECRET = "a secret that site and kit share, as long as the longest hash wants it to be"
OTHER = "a secret of somebody else altogether, as long as the longest hash wants it"
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----"""
numbers = itertools.count()


class Site:
    """The customer's site, which knows who is signed in there."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.kit = Customers(
            house.database,
            house.journal,
            house.runner,
            tokens=house.tokens,
            clock=house.clock,
            notify=house.notify,
            identities=SignedIdentities(SECRET, clock=house.clock),
        )

    @property
    def now(self) -> int:
        return int(self.house.clock().timestamp())

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a good token; None takes one away."""
        good = {"aud": "touchdesk", "sub": "crm:4711", "iat": self.now, "exp": self.now + 120, "jti": f"number-of-its-own-{next(numbers)}"}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def signs(self, secret: str = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), secret, algorithm=algorithm, headers=headers)

    def crafts(self, header: Any, claims: Any = None, secret: str = SECRET) -> str:
        """Signed by hand with HS256, whatever the header says."""
        body = ".".join(encoded(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, claims or self.claims()))
        return f"{body}.{encoded(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest())}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.fixture
def site(house: House) -> Site:
    return Site(house)


HS256 = {"alg": "HS256", "typ": "JWT"}
FORGED: dict[str, Any] = {
    "no text": lambda site: 5,
    "nothing": lambda site: "",
    "a list": lambda site: [site.signs()],
    "an object": lambda site: {"sub": "crm:4711"},
    "true": lambda site: True,
    "junk": lambda site: "junk",
    "three pieces of junk": lambda site: "a.b.c",
    "only dots": lambda site: "..",
    "four pieces": lambda site: site.signs() + ".x",
    "two pieces": lambda site: site.signs().rpartition(".")[0],
    "no signature": lambda site: site.signs().rpartition(".")[0] + ".",
    "a signature cut off": lambda site: site.signs()[:-2],
    "a blank behind": lambda site: site.signs() + " ",
    "a line's end behind": lambda site: site.signs() + "\n",
    "letters beyond ASCII": lambda site: site.signs() + "é",
    "half a character": lambda site: "\ud800" + site.signs(),
    "huge": lambda site: site.signs(name="x" * 90, extra="x" * 5000),
    "a megabyte": lambda site: "x" * 1_000_000,
    "none": lambda site: jwt.encode(site.claims(), None, algorithm="none"),
    "None": lambda site: site.crafts({"alg": "None"}),
    "none, signed": lambda site: site.crafts({"alg": "none"}),
    "no algorithm": lambda site: site.crafts({"typ": "JWT"}),
    "algorithm of another kind": lambda site: site.crafts({"alg": 5}),
    "HS384": lambda site: site.signs(algorithm="HS384"),
    "HS512": lambda site: site.signs(algorithm="HS512"),
    "RS256, signed as HS256 with a public key": lambda site: site.crafts({"alg": "RS256"}, secret=PUBLIC_KEY),
    "HS256 with a public key": lambda site: site.crafts(HS256, secret=PUBLIC_KEY),
    "another secret": lambda site: site.signs(secret=OTHER),
    "an empty secret": lambda site: site.crafts(HS256, secret=""),
    "the kit's own token": lambda site: site.house.tokens.issue("crm:4711"),
    "crit": lambda site: site.signs(headers={"crit": ["exp"]}),
    "an unknown crit": lambda site: site.signs(headers={"crit": ["x"], "x": 1}),
    "b64": lambda site: site.crafts({**HS256, "b64": False, "crit": ["b64"]}),
    "a key in the header": lambda site: site.signs(headers={"jwk": {"kty": "oct", "k": "x"}}),
    "an address of keys": lambda site: site.signs(headers={"jku": "https://evil.example/keys"}),
    "a kid of a path": lambda site: site.signs(headers={"kid": "../../../../dev/null"}),
    "a header that is none": lambda site: site.crafts(b"[]"),
    "claims that are none": lambda site: site.crafts(HS256, b"[]"),
    "claims of NaN": lambda site: site.crafts(HS256, b'{"exp": NaN}'),
    "claims nested deep": lambda site: site.crafts(HS256, b"[" * 1400),
    "other claims under a good signature": lambda site: swapped(site.signs(), site.signs(sub="crm:1")),
    "no exp": lambda site: site.signs(exp=None),
    "no iat": lambda site: site.signs(iat=None),
    "no aud": lambda site: site.signs(aud=None),
    "no sub": lambda site: site.signs(sub=None),
    "no jti": lambda site: site.signs(jti=None),
    "over": lambda site: site.signs(iat=site.now - 200, exp=site.now - 61),
    "over by days": lambda site: site.signs(iat=site.now - 86400, exp=site.now - 86300),
    "longer than five minutes": lambda site: site.signs(exp=site.now + 301),
    "a year": lambda site: site.signs(exp=site.now + 365 * 86400),
    "signed in the future": lambda site: site.signs(iat=site.now + 61, exp=site.now + 120),
    "over before it began": lambda site: site.signs(iat=site.now + 30, exp=site.now + 20),
    "not yet": lambda site: site.signs(nbf=site.now + 100),
    "exp a text": lambda site: site.signs(exp=str(site.now + 60)),
    "exp a fraction": lambda site: site.crafts(HS256, site.claims(exp=site.now + 60.5)),
    "exp true": lambda site: site.crafts(HS256, site.claims(exp=True)),
    "exp without end": lambda site: site.crafts(HS256, site.claims(exp=10**30)),
    "iat below zero": lambda site: site.crafts(HS256, site.claims(iat=-5)),
    "another audience": lambda site: site.signs(aud="another-kit"),
    "an audience written large": lambda site: site.signs(aud="Touchdesk"),
    "several audiences": lambda site: site.signs(aud=["touchdesk", "another-kit"]),
    "sub a number": lambda site: site.crafts(HS256, site.claims(sub=4711)),
    "sub empty": lambda site: site.signs(sub=""),
    "sub long": lambda site: site.signs(sub="x" * 65),
    "sub with a blank": lambda site: site.signs(sub="crm 4711"),
    "sub with a line's end": lambda site: site.signs(sub="crm:4711\n"),
    "jti short": lambda site: site.signs(jti="1"),
    "jti a number": lambda site: site.crafts(HS256, site.claims(jti=12345678)),
    "jti long": lambda site: site.signs(jti="x" * 129),
    "name a list": lambda site: site.signs(name=["Ada"]),
    "name long": lambda site: site.signs(name="x" * 101),
    "name with NUL": lambda site: site.signs(name="a\0b"),
    "e-mail an object": lambda site: site.signs(email={"$ne": ""}),
}


def swapped(good: str, other: str) -> str:
    head, _, signature = good.split(".")
    return ".".join((head, other.split(".")[1], signature))


def test_nothing_forged_is_ever_taken(site: Site) -> None:
    """More than forty ways, all told the same words, none leaving anything behind."""
    assert len(FORGED) >= 40
    told, taken = set(), []
    for name, forged in FORGED.items():
        try:
            site.kit.start(None, identity=forged(site))
            taken.append(name)
        except IdentityInvalid as refusal:
            told.add((str(refusal), str(refusal.detail)))
    assert taken == []
    assert told == {("The identity cannot be accepted.", "{'field': 'identity'}")}
    for table in ("conversations", "visitors", "known_customers", "used_identities", "identities"):
        assert site.house.rows(f"SELECT * FROM {table}") == []


def test_the_forgeries_are_refused_for_what_was_forged(site: Site) -> None:
    """What they are made of is good: without the change each is taken."""
    assert site.kit.start(None, identity=site.signs())
    assert site.kit.start(None, identity=site.crafts(HS256))
    assert site.kit.start(None, identity=site.signs(name="Zoë", email="zoe@shop.example", nbf=site.now, role="a claim of the site's own"))
    assert site.kit.start(None, identity=site.signs(iat=site.now + 60, exp=site.now + 360))
    assert site.kit.start(None, identity=site.signs(iat=site.now - 300, exp=site.now - 59))


def test_an_identity_is_taken_once(site: Site) -> None:
    """Also after it was refused for something else, never again while it lasts, nor afterwards; and not kept for ever."""
    token = site.signs()
    with pytest.raises(NotFound):
        site.kit.start(None, identity=token, continues="nowhere")
    site.kit.start(None, identity=token)
    for passing_s in (0, 60, 119, 200, 86400):
        site.house.clock.passes(passing_s)
        with pytest.raises(IdentityInvalid):
            site.kit.start(None, identity=token)
    site.kit.start(None, identity=site.signs())
    assert len(site.house.rows("SELECT * FROM used_identities")) == 1


def test_the_same_one_under_another_signature_is_the_same(site: Site) -> None:
    """What counts is its `jti`, not how the token is written."""
    jti = "the-same-again"
    site.kit.start(None, identity=site.signs(jti=jti))
    with pytest.raises(IdentityInvalid):
        site.kit.start(None, identity=site.signs(jti=jti, sub="crm:1", exp=site.now + 60))


def test_without_a_secret_nobody_is_known(house: House) -> None:
    """An identity is refused like any other, a conversation without one begins."""
    with pytest.raises(IdentityInvalid):
        house.customers.start(None, identity=jwt.encode({}, SECRET))
    assert house.customers.start(None)


def test_a_customer_is_the_same_on_every_device(site: Site) -> None:
    """What was written on the phone is there on the computer, and the desk sees who it is."""
    on_phone, phone = site.kit.start(None, identity=site.signs(name="Zoë", email="zoe@shop.example"))
    _, computer = site.kit.start(None, identity=site.signs(name="Zoë Müller"))
    assert on_phone.id in [conversation.id for conversation in site.kit.conversations(computer)]
    opened = site.house.agents.open(on_phone.id).conversation
    assert opened.customer is not None
    assert (opened.customer.id, opened.customer.name, opened.customer.email) == ("crm:4711", "Zoë Müller", None)
    again, _ = site.kit.start(phone)
    assert site.house.agents.open(again.id).conversation.customer == opened.customer
    other, _ = site.kit.start(None, identity=site.signs(sub="crm:1"))
    assert other.visitor_id != on_phone.visitor_id


def test_what_was_written_before_stays_with_whom_it_was_written_by(site: Site) -> None:
    """A copied token of the browser opens what it opened before, and nothing that the known customer writes."""
    before, anonymous = site.kit.start(None)
    known, token = site.kit.start(anonymous, identity=site.signs(), continues=before.id)
    assert known.continues == before.id
    assert [conversation.id for conversation in site.kit.conversations(anonymous)] == [before.id]
    assert [conversation.id for conversation in site.kit.conversations(token)] == [known.id]
    with pytest.raises(NotFound):
        site.kit.conversation(anonymous, known.id)


def test_the_ledger_counts_both_as_one_customer(site: Site) -> None:
    """The visitor of the browser before, and the one that the customer is."""
    before, anonymous = site.kit.start(None)
    known, _ = site.kit.start(anonymous, identity=site.signs())
    joined = {row["visitor"] for row in site.house.rows("SELECT visitor FROM identities WHERE customer = 'crm:4711' AND \"to\" IS NULL")}
    assert joined == {before.visitor_id, known.visitor_id}


def test_two_customers_at_one_browser_stay_two(site: Site) -> None:
    """The second sees nothing of the first and is not counted as them."""
    first, one = site.kit.start(None, identity=site.signs())
    second, two = site.kit.start(one, identity=site.signs(sub="crm:1"))
    assert [conversation.id for conversation in site.kit.conversations(two)] == [second.id]
    assert site.house.rows("SELECT customer FROM identities WHERE visitor = :visitor", visitor=first.visitor_id) == [{"customer": "crm:4711"}]
    with pytest.raises(NotFound):
        site.kit.start(two, continues=first.id)


def test_a_worthless_token_beside_a_good_identity_is_told_first(site: Site) -> None:
    """The identity is not used up by it."""
    identity = site.signs()
    with pytest.raises(TokenInvalid):
        site.kit.start("forged", identity=identity)
    assert site.kit.start(None, identity=identity)


def test_of_many_at_once_with_one_identity_one_wins(site: Site) -> None:
    """In one after another transaction, however they come."""
    identity = site.signs()
    told: list[str | None] = []

    def begin() -> None:
        try:
            told.append(site.kit.start(None, identity=identity)[1])
        except IdentityInvalid:
            told.append(None)

    beginners = [threading.Thread(target=begin) for _ in range(12)]
    for beginner in beginners:
        beginner.start()
    for beginner in beginners:
        beginner.join(30)
    assert len(told) == 12
    assert len([token for token in told if token]) == 1
