"""The tables for SQLAlchemy. `migrations/` creates them."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

METADATA = MetaData()

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(40), primary_key=True),
    #: Which kind of work it is (`domain/job_kinds.py`), and so the form of its document.
    Column("kind", String(16), nullable=False, server_default="video"),
    Column("owner", String(64), nullable=False),
    #: Not used any more: older versions wrote it. `executions` has its purpose now.
    Column("fingerprint", String(64), nullable=False, default=""),
    Column("model", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    #: The common part of its files' names, for the janitor. NULL in a row of an older version.
    Column("stem", String(32)),
    #: Seconds from submission to the end, for completed jobs. Estimates of later jobs use it.
    Column("took_seconds", Float),
    #: When the finished video was first handed to a client.
    Column("delivered_at", Float),
    #: When its owner deleted it. From then on it is hidden and its files are deleted.
    Column("deleted_at", Float),
    #: When the operator cancelled it.
    Column("cancelled_at", Float),
    #: When the job is due for its next step. A claim moves it forward, so it is the lease as well. NULL when
    #: nothing is left to do.
    Column("due_at", Float),
    #: The token of the newest claim. A write that carries another one does nothing.
    Column("claim", String(32)),
    #: The whole job as JSON. The columns above repeat what is searched for.
    Column("document", LargeBinary, nullable=False),
    Index("jobs_due", "kind", "due_at"),
    # Only of rows with `took_seconds`. Its migration says so: said here, it would load PostgreSQL's dialect everywhere.
    Index("jobs_measured", "model", "finished_at"),
    Index("jobs_states", "state", "finished_at"),
    Index("jobs_stems", "stem"),
    Index("jobs_created", "kind", "created_at"),
    Index("jobs_owned", "owner", "created_at", "id"),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("name", String(128), primary_key=True),
    #: SHA-256 of the key, in hex.
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
    #: The owner of its media; NULL: the key's name.
    Column("owner", String(64)),
    #: The key before the last rotation, and until when it is valid.
    Column("earlier_digest", String(64)),
    Column("earlier_until", Float),
    #: The Allowance as JSON; NULL: no limits.
    Column("allowance", LargeBinary),
)

KEY_COUNTS = Table(
    "key_counts",
    METADATA,
    #: The id of a key that has limits: its name.
    Column("key", String(128), primary_key=True),
    #: What is counted: requests, images, videos, or an amount of money such as `USD/month`.
    Column("kind", String(32), primary_key=True),
    #: When the minute, day or month began, in Unix seconds.
    Column("begins_at", BigInteger, primary_key=True, autoincrement=False),
    #: What is taken, in units or in billionths of an amount.
    Column("taken", BigInteger, nullable=False),
)

FILES = Table(
    "files",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("filename", String(255), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    #: Its name in the media store, and the part of the name that the janitor asks for.
    Column("name", String(64), nullable=False),
    Column("stem", String(32), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    #: When its owner deleted it. From then on it is hidden.
    Column("deleted_at", Float),
    Index("files_owned", "owner", "created_at", "id"),
    Index("files_stems", "stem"),
    Index("files_expired", "expires_at"),
    Index("files_deleted", "deleted_at"),
)

RESPONSES = Table(
    "replies",
    METADATA,
    Column("key", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    #: The part of its picture's name that the janitor asks for.
    Column("stem", String(32), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    #: When its owner deleted it. From then on it is hidden.
    Column("deleted_at", Float),
    #: The whole StoredResponse as JSON. The columns above repeat what is searched for.
    Column("document", LargeBinary, nullable=False),
    Index("replies_stems", "stem"),
    Index("replies_expired", "expires_at"),
    Index("replies_deleted", "deleted_at"),
)

EXECUTIONS = Table(
    "executions",
    METADATA,
    #: The name of the execution; a write of another one does nothing. For a video, its job's id.
    Column("id", String(40), primary_key=True),
    #: Owner, route, and key or content, as one SHA-256. Equal requests side by side have an execution each.
    Column("scope", String(64), nullable=False),
    Column("content", String(80), nullable=False),
    Column("standing", String(16), nullable=False),
    #: The highest retry count of the requests that it answers.
    Column("attempts", Integer, nullable=False),
    Column("began_at", Float, nullable=False),
    #: Of pictures: until when a running one without a holder is believed to be alive, by the database's clock. Only
    #: older versions look at it in a row that has a holder.
    Column("lease_until", Float),
    Column("expires_at", Float, nullable=False),
    #: When a client was given the answer.
    Column("answered_at", Float),
    #: The process that makes the pictures, or whose connections wait for the job. It is alive while its row in
    #: `processes` says so. The database keeps the column's first name.
    Column("waited_by", String(32), key="holder"),
    #: The job that answers it. NULL: pictures without a job.
    Column("job_id", String(40)),
    #: The StoredAnswer as JSON, of pictures.
    Column("document", LargeBinary),
    Index("executions_scope", "scope", "began_at", "id"),
    Index("executions_expiring", "expires_at"),
)

PROCESSES = Table(
    "processes",
    METADATA,
    Column("id", String(32), primary_key=True),
    #: Until when it is believed to be alive, by the database's clock: its lease.
    Column("alive_until", Float, nullable=False),
    Index("processes_dead", "alive_until"),
)

USAGE = Table(
    "usage",
    METADATA,
    #: The beginning of the hour, in Unix seconds.
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    #: The id of the key; empty: without a key.
    Column("key", String(128), primary_key=True),
    Column("owner", String(128), primary_key=True),
    Column("provider", String(128), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("size", String(16), primary_key=True),
    Column("source", String(32), primary_key=True),
    #: Sums (`domain/usage_counts.py`).
    Column("requests", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("images", BigInteger, nullable=False),
    Column("videos", BigInteger, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    #: In billionths.
    Column("nano_dollars", BigInteger, nullable=False),
    Column("nano_credits", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False),
)

CREDENTIAL_STATES = Table(
    "credential_states",
    METADATA,
    #: The process that wrote it. It writes again at least every 20 s.
    Column("process", String(32), primary_key=True),
    #: By the database's clock.
    Column("written_at", Float, nullable=False),
    #: A list of CredentialState as JSON.
    Column("document", LargeBinary, nullable=False),
    Index("credential_states_written", "written_at"),
)

#: The credentials that the operator disabled by a command.
DISABLED_CREDENTIALS = Table(
    "disabled_credentials",
    METADATA,
    Column("provider", String(64), primary_key=True),
    Column("name", String(1024), primary_key=True),
    Column("disabled_at", Float, nullable=False),
)
