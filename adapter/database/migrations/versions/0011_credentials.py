"""How the operator's credentials stand in each process, and which ones he disabled."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "credential_states",
        sa.Column("process", sa.String(32), primary_key=True),
        sa.Column("written_at", sa.Float, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("credential_states_written", "credential_states", ["written_at"])
    op.create_table(
        "disabled_credentials",
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(1024), primary_key=True),
        sa.Column("disabled_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop both. Credentials that were disabled get work again."""
    op.drop_table("disabled_credentials")
    op.drop_index("credential_states_written", "credential_states")
    op.drop_table("credential_states")
