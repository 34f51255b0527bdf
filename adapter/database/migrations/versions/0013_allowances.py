"""Keys have limits, and what is taken of each limit is counted by minute, day and month."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Let keys have limits. A key that is there has none."""
    op.add_column("keys", sa.Column("allowance", sa.LargeBinary))
    op.create_table(
        "key_counts",
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("begins_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Go back. Every key may do everything again."""
    op.drop_table("key_counts")
    op.drop_column("keys", "allowance")
