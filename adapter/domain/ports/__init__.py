"""What the use cases need of the world, by noun. Everybody imports from here.

Time, room, makers of pictures and videos, and what is remembered; `memory` puts the three memories of a job together.
"""

from adapter.domain.ports.access import Access, KeyNames, KeyStore, Secret
from adapter.domain.ports.budget import Budget, Room
from adapter.domain.ports.clock import Clock
from adapter.domain.ports.jobs import Claim, JobFeed, JobStore, RequestStore, Subscription, Write
from adapter.domain.ports.makers import (
    CuttingRoom,
    ImageMaker,
    ImageProvider,
    InputImages,
    PictureFetcher,
    TextMaker,
    Workshop,
)
from adapter.domain.ports.media import ListedFile, MediaFile, MediaStore
from adapter.domain.ports.memory import Memory
from adapter.domain.ports.records import FileStore, Keeper, ReplyStore, Shelf
from adapter.domain.ports.videos import Download, Empty, Finished, Refused, Report, VideoProvider, Working

__all__ = [
    "Access",
    "Budget",
    "Claim",
    "Clock",
    "CuttingRoom",
    "Download",
    "Empty",
    "FileStore",
    "Finished",
    "ImageMaker",
    "ImageProvider",
    "InputImages",
    "JobFeed",
    "JobStore",
    "Keeper",
    "KeyNames",
    "KeyStore",
    "ListedFile",
    "MediaFile",
    "MediaStore",
    "Memory",
    "PictureFetcher",
    "Refused",
    "ReplyStore",
    "Report",
    "RequestStore",
    "Room",
    "Secret",
    "Shelf",
    "Subscription",
    "TextMaker",
    "VideoProvider",
    "Working",
    "Workshop",
    "Write",
]
