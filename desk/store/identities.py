"""Customers whom their site has named: which visitor each is, and which identity tokens have been used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from desk.model import Identity
from desk.schema import known_customers, used_identities
from touchpoints.schema import identities


def use(connection: Connection, identity: Identity, now: datetime) -> bool:
    """Note that an identity token was taken; False when it was taken before."""
    connection.execute(delete(used_identities).where(used_identities.c.until < now))
    if connection.execute(select(used_identities.c.digest).where(used_identities.c.digest == identity.digest)).first() is not None:
        return False
    connection.execute(insert(used_identities).values(digest=identity.digest, until=identity.until))
    return True


def visitor_of(connection: Connection, customer: str) -> str | None:
    """The visitor that a known customer is, or None."""
    found: str | None = connection.execute(select(known_customers.c.visitor_id).where(known_customers.c.customer == customer)).scalar()
    return found


def add(connection: Connection, identity: Identity, visitor_id: str, now: datetime) -> None:
    """A customer becomes known, as this visitor."""
    values = {"customer": identity.customer, "visitor_id": visitor_id, "name": identity.name, "email": identity.email, "signed_at": now}
    connection.execute(insert(known_customers).values(values))
    join(connection, visitor_id, identity.customer, now)


def refresh(connection: Connection, identity: Identity, now: datetime) -> None:
    """Keep what the site says of a known customer now."""
    values = {"name": identity.name, "email": identity.email, "signed_at": now}
    connection.execute(update(known_customers).where(known_customers.c.customer == identity.customer).values(values))


def is_joined(connection: Connection, visitor_id: str) -> bool:
    """Whether a visitor is counted as some customer already."""
    query = select(identities.c.visitor).where(identities.c.visitor == visitor_id, identities.c.to.is_(None))
    return connection.execute(query).first() is not None


def join(connection: Connection, visitor_id: str, customer: str, now: datetime) -> None:
    """From now on the ledger counts this visitor as this customer."""
    connection.execute(insert(identities).values({"visitor": visitor_id, "customer": customer, "from": now}))
