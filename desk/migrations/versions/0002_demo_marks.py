"""What `make demo` has made up is marked, so that it can be told apart and taken away."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("staff", "touchpoints", "visitors"):
        op.add_column(table, sa.Column("demo", sa.Boolean(), nullable=False, server_default=sa.false()))
