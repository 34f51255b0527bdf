"""How long the use cases wait."""

import msgspec


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are waited for, in seconds, and how much is kept for who comes late."""

    #: Silence after which a watcher is told that nothing happened.
    heartbeat: float
    #: How long a finished video that was not delivered answers an equal request.
    replay: float
    #: How long a video is expected to take until one was measured; 0 leaves it to the order.
    typical: float = 0.0
    #: What pictures under way get when the process is told to stop.
    drain_seconds: float = 0.0
    #: What another process's answer is waited for.
    elsewhere: float = 120.0
    #: After so much work a request is written down, so that a retry finds it wherever it lands.
    unwritten: float = 2.0
    #: Bytes of pictures that went out lately, in memory: a connection that broke at the very end asks for them again.
    recent_results_bytes: int = 32 * 1024 * 1024
