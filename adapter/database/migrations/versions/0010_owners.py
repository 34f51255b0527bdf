"""A key has an owner that outlives it, and an earlier key that is still valid for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Let keys be rotated. The owner of a key that is there is its name, as before."""
    op.add_column("keys", sa.Column("owner", sa.String(64)))
    op.add_column("keys", sa.Column("earlier_digest", sa.String(64)))
    op.add_column("keys", sa.Column("earlier_until", sa.Float))


def downgrade() -> None:
    """Go back. Keys that had another owner than their name lose what they made; earlier keys end."""
    op.drop_column("keys", "earlier_until")
    op.drop_column("keys", "earlier_digest")
    op.drop_column("keys", "owner")
