"""Jobs can be listed by their owner, deleted by them, and called off by the operator."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the times of both, and the order of the list."""
    op.add_column("jobs", sa.Column("deleted_at", sa.Float))
    op.add_column("jobs", sa.Column("cancelled_at", sa.Float))
    op.create_index("jobs_owned", "jobs", ["owner", "created_at", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("jobs_owned", "jobs")
    op.drop_column("jobs", "cancelled_at")
    op.drop_column("jobs", "deleted_at")
