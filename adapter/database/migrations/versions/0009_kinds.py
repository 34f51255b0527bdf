"""Jobs have a kind: a picture in the background is a job as a video is."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make all that is there videos. A process of an older version goes on to add videos without saying so."""
    op.add_column("jobs", sa.Column("kind", sa.String(16), nullable=False, server_default="video"))
    op.drop_index("jobs_due", "jobs")
    op.create_index("jobs_due", "jobs", ["kind", "due_at"])
    op.drop_index("jobs_created", "jobs")
    op.create_index("jobs_created", "jobs", ["kind", "created_at"])


def downgrade() -> None:
    """Go back. Pictures in the background are forgotten: an older version cannot read them."""
    op.execute("DELETE FROM jobs WHERE kind <> 'video'")
    op.drop_index("jobs_created", "jobs")
    op.create_index("jobs_created", "jobs", ["created_at"])
    op.drop_index("jobs_due", "jobs")
    op.create_index("jobs_due", "jobs", ["due_at"])
    op.drop_column("jobs", "kind")
