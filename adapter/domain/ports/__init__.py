"""The ports of the use cases. Import them from here.

Clock, memory budget, connection of a request, providers, and stores; `Memory` groups the three stores of a job.
"""

from adapter.domain.ports.access import Access, AdminAccess, CloudSecret, KeyStore, Secret, TokenReply, TokenRequests
from adapter.domain.ports.budget import Budget, Portion, Reservation, Work
from adapter.domain.ports.clock import Clock
from adapter.domain.ports.connection import Connection, EndCallback
from adapter.domain.ports.credentials import Credentials, CredentialStore
from adapter.domain.ports.jobs import Claim, JobFeed, JobStore, RequestStore, Subscription, Write
from adapter.domain.ports.makers import (
    ClipMeasurer,
    ImageMaker,
    ImageMakers,
    ImageProvider,
    InputImages,
    PictureFetcher,
    TextMaker,
    TextProvider,
    Thumbnailer,
)
from adapter.domain.ports.media import FileRegistry, FileSizes, MediaStore, Ownership
from adapter.domain.ports.memory import Memory
from adapter.domain.ports.quotas import Quotas
from adapter.domain.ports.records import FileOwner, FileStore, ImageLocator, ResponseStore
from adapter.domain.ports.telemetry import Attributes, Metrics, Span, SpanKind, Tracer, UsageRecorder
from adapter.domain.ports.usage import UsageStore
from adapter.domain.ports.videos import (
    AskAgain,
    Download,
    Empty,
    Executed,
    Finished,
    Neighbours,
    NotExecuted,
    Refused,
    Report,
    Settlement,
    Unproven,
    VideoFile,
    VideoProvider,
    Working,
)

__all__ = [
    "Access",
    "AdminAccess",
    "AskAgain",
    "Attributes",
    "Budget",
    "Claim",
    "ClipMeasurer",
    "Clock",
    "CloudSecret",
    "Connection",
    "CredentialStore",
    "Credentials",
    "Download",
    "Empty",
    "EndCallback",
    "Executed",
    "FileOwner",
    "FileRegistry",
    "FileSizes",
    "FileStore",
    "Finished",
    "ImageLocator",
    "ImageMaker",
    "ImageMakers",
    "ImageProvider",
    "InputImages",
    "JobFeed",
    "JobStore",
    "KeyStore",
    "MediaStore",
    "Memory",
    "Metrics",
    "Neighbours",
    "NotExecuted",
    "Ownership",
    "PictureFetcher",
    "Portion",
    "Quotas",
    "Refused",
    "Report",
    "RequestStore",
    "Reservation",
    "ResponseStore",
    "Secret",
    "Settlement",
    "Span",
    "SpanKind",
    "Subscription",
    "TextMaker",
    "TextProvider",
    "Thumbnailer",
    "TokenReply",
    "TokenRequests",
    "Tracer",
    "Unproven",
    "UsageRecorder",
    "UsageStore",
    "VideoFile",
    "VideoProvider",
    "Work",
    "Working",
    "Write",
]
