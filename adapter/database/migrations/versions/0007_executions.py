"""Equal requests side by side are executions of their own; who waits for a video is known to all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Move what is remembered of requests into a table whose rows are executions."""
    op.create_table(
        "executions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("content", sa.String(80), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("lease_until", sa.Float),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("answered_at", sa.Float),
        sa.Column("waited_by", sa.String(32)),
        sa.Column("job_id", sa.String(40)),
        sa.Column("document", sa.LargeBinary),
    )
    # A scope was unique there. Contents of before this version have no version in front, so a key decides alone.
    op.execute(
        "INSERT INTO executions (id, scope, content, standing, attempts, began_at, lease_until, expires_at,"
        " answered_at, job_id, document)"
        " SELECT CASE WHEN mark = '' THEN substr(scope, 1, 32) ELSE mark END,"
        " scope, content, standing, 0, began_at, lease_until, expires_at, began_at, job_id, document FROM requests"
    )
    op.drop_table("requests")
    op.create_index("executions_scope", "executions", ["scope", "began_at", "id"])
    op.create_index("executions_expiring", "executions", ["expires_at"])
    op.create_table(
        "processes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("alive_until", sa.Float, nullable=False),
    )
    op.create_index("processes_dead", "processes", ["alive_until"])
    op.drop_index("jobs_wish", "jobs")


def downgrade() -> None:
    """Go back. What is remembered of requests is forgotten."""
    op.create_index("jobs_wish", "jobs", ["owner", "fingerprint"])
    op.drop_table("processes")
    op.drop_table("executions")
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
