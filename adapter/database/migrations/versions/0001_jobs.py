"""The table of video jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
        sa.Column("took_seconds", sa.Float),
        sa.Column("delivered_at", sa.Float),
        sa.Column("due_at", sa.Float),
        sa.Column("claim", sa.String(32)),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("jobs_due", "jobs", ["due_at"])
    op.create_index("jobs_wish", "jobs", ["owner", "fingerprint"])
    op.create_index("jobs_measured", "jobs", ["model", "finished_at"])
    op.create_index("jobs_created", "jobs", ["created_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("jobs")
