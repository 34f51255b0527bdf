"""How long the use cases wait."""

import msgspec


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are waited for, in seconds."""

    #: Silence after which a watcher is told that nothing happened.
    heartbeat: float
    #: How long a finished video that nobody was given answers the same wish.
    replay: float
    #: How long a stream waits for the provider to take a video, before it begins without knowing.
    opening: float = 2.0
    #: How long a video is expected to take until one was measured; 0 leaves it to the order.
    typical: float = 0.0
    #: What pictures under way get when the process is told to stop.
    farewell: float = 0.0
