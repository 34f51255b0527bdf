"""The documents of jobs: rows become jobs here and nowhere else."""

from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from adapter.domain.job import Job
from adapter.domain.job_kinds import KINDS, J, JobKind

log = structlog.get_logger()

_DECODERS: Final[Mapping[type[Job], msgspec.json.Decoder[Job]]] = {
    kind.form: msgspec.json.Decoder(kind.form) for kind in KINDS
}
_BY_NAME: Final[Mapping[str, JobKind[Job]]] = {kind.name: kind for kind in KINDS}


def read_job(kind: JobKind[J], job_id: str, document: bytes) -> J | None:
    """Return a row's job of that kind; a row that cannot be read stops no other one."""
    try:
        job = _DECODERS[kind.form].decode(document)
    except msgspec.DecodeError as error:
        log.error("jobs.unreadable", job_id=job_id, error=str(error))  # noqa: TRY400 - the text says where
        return None
    return job if isinstance(job, kind.form) else None


def read_any(kind: str, job_id: str, document: bytes) -> Job | None:
    """Return a row's job of any kind; one of a kind that a newer version has cannot be read."""
    known = _BY_NAME.get(kind)
    return None if known is None else read_job(known, job_id, document)
