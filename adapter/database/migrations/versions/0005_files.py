"""The table of the files that clients upload."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "files",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("stem", sa.String(32), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("deleted_at", sa.Float),
    )
    op.create_index("files_owned", "files", ["owner", "created_at", "id"])
    op.create_index("files_stems", "files", ["stem"])
    op.create_index("files_expired", "files", ["expires_at"])
    op.create_index("files_deleted", "files", ["deleted_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("files")
