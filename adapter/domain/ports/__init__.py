"""What the use cases need of the world, by noun. Everybody imports from here.

Time, memory for large work, connections, makers of pictures and videos, and what is remembered; `memory` puts the three
memories of a job together.
"""

from adapter.domain.ports.access import Access, KeyNames, KeyStore, Secret
from adapter.domain.ports.budget import Budget, Reservation
from adapter.domain.ports.clock import Clock
from adapter.domain.ports.connection import Connection, EndCallback
from adapter.domain.ports.jobs import Claim, JobFeed, JobStore, RequestStore, Subscription, Write
from adapter.domain.ports.makers import (
    ImageMaker,
    ImageMakers,
    ImageProvider,
    InputImages,
    PictureFetcher,
    TextMaker,
    Thumbnailer,
)
from adapter.domain.ports.media import ListedFile, MediaFile, MediaStore
from adapter.domain.ports.memory import Memory
from adapter.domain.ports.records import FileOwner, FileStore, ImageLocator, ResponseStore
from adapter.domain.ports.videos import Download, Empty, Finished, Refused, Report, VideoProvider, Working

__all__ = [
    "Access",
    "Budget",
    "Claim",
    "Clock",
    "Connection",
    "Download",
    "Empty",
    "EndCallback",
    "FileOwner",
    "FileStore",
    "Finished",
    "ImageLocator",
    "ImageMaker",
    "ImageMakers",
    "ImageProvider",
    "InputImages",
    "JobFeed",
    "JobStore",
    "KeyNames",
    "KeyStore",
    "ListedFile",
    "MediaFile",
    "MediaStore",
    "Memory",
    "PictureFetcher",
    "Refused",
    "Report",
    "RequestStore",
    "Reservation",
    "ResponseStore",
    "Secret",
    "Subscription",
    "TextMaker",
    "Thumbnailer",
    "VideoProvider",
    "Working",
    "Write",
]
