"""Sessions say which browser they are of, and a password that its holder did not choose has the time when it was made."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from touchpoints.database import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("password_made_at", UtcTime(), nullable=True))
    op.add_column("sessions", sa.Column("browser", sa.String(length=40), nullable=True))
    op.add_column("sessions", sa.Column("system", sa.String(length=40), nullable=True))
    _mark_made_passwords()


def _mark_made_passwords() -> None:
    """Until now nobody could choose a password but for the first account; all others have one that the kit made."""
    staff = sa.table("staff", sa.column("id"), sa.column("created_at"), sa.column("demo"), sa.column("password_made_at", UtcTime()))
    first = sa.select(staff.c.id).order_by(staff.c.created_at, staff.c.id).limit(1).scalar_subquery()
    made = sa.update(staff).where(staff.c.id != first, sa.not_(staff.c.demo))
    op.execute(made.values(password_made_at=datetime.now(UTC)))
