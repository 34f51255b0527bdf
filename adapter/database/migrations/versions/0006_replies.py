"""The table of answers that can be looked up."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "replies",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("stem", sa.String(32), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("deleted_at", sa.Float),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("replies_stems", "replies", ["stem"])
    op.create_index("replies_expired", "replies", ["expires_at"])
    op.create_index("replies_deleted", "replies", ["deleted_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("replies")
