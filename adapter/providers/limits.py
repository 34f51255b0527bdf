"""What a request to Google may take: its times, and the bytes of its answer."""

import msgspec


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a request may take. The settings of a provider say it (`ProviderSettings.limits`)."""

    #: Seconds until a connection stands, with its look-up and TLS. All other times begin when it stands.
    connect: float = 10.0
    #: Seconds of what is made while it is waited for, such as a picture or a text. Pictures take 12 to 25 s as a rule
    #: and up to 8 minutes at the worst (`gemini.md` section 1.4).
    answer: float = 600.0
    #: Seconds until the submission of a video is answered. Google takes it within seconds.
    submit: float = 75.0
    #: Seconds of a question that changes nothing: how a video stands, which models there are, a token.
    question: float = 45.0
    #: Seconds of each part of an upload.
    upload: float = 120.0
    #: For which an idle connection is kept. Servers close theirs too, and a request that meets that is lost. uvicorn
    #: and Node do so after 5 s, Google's own servers after minutes.
    idle: float = 4.0
    #: The same for connections of files: a file is asked for again if its connection was closed, so nothing is lost.
    idle_of_files: float = 60.0
    #: Seconds of a whole download, and between two pieces of it.
    download: float = 900.0
    silence: float = 60.0
    #: Bytes of an answer. It is all in memory; ten 4K pictures of Flow in one are about 150 MB of base64.
    answer_bytes: int = 256 * 1024 * 1024
