"""What was made and spent, in sums of an hour."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

COUNTS = (
    "requests",
    "failed",
    "images",
    "videos",
    "seconds",
    "input_tokens",
    "output_tokens",
    "nano_dollars",
    "nano_credits",
    "unpriced",
)


def upgrade() -> None:
    """Begin with nothing: what was made before is not counted."""
    op.create_table(
        "usage",
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("owner", sa.String(128), primary_key=True),
        sa.Column("provider", sa.String(128), primary_key=True),
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("size", sa.String(16), primary_key=True),
        sa.Column("source", sa.String(32), primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
    )


def downgrade() -> None:
    """Go back. The sums are lost."""
    op.drop_table("usage")
