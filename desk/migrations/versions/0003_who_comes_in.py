"""Tries to sign in are counted, and visitors can be customers that the site knows."""

import sqlalchemy as sa
from alembic import op

from touchpoints.database import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_tries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("counted_for", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", "counted_for", name=op.f("pk_sign_in_tries")),
    )
    op.create_index(op.f("ix_sign_in_tries_counted_for_at"), "sign_in_tries", ["counted_for", "at"], unique=False)
    op.create_table(
        "known_customers",
        sa.Column("customer", sa.String(length=64), nullable=False),
        sa.Column("visitor_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("signed_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_known_customers_visitor_id")),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_known_customers")),
        sa.UniqueConstraint("visitor_id", name=op.f("uq_known_customers_visitor_id")),
    )
    op.create_table(
        "used_identities",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_identities")),
    )
