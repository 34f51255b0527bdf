"""Requests are remembered, so that their repetitions are known."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "requests",
        sa.Column("scope", sa.String(64), primary_key=True),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("lease_until", sa.Float),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("job_id", sa.String(40)),
        sa.Column("document", sa.LargeBinary),
    )
    op.create_index("requests_expiring", "requests", ["expires_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("requests")
