"""The stored form of a finished video's files."""

import msgspec

from adapter.domain.job import StoredVideo


def test_files_with_and_without_a_digest_are_read() -> None:
    """Versions up to 28 November 2026 stored one."""
    for digest in (b"", b',"sha256":"0f"'):
        stored = msgspec.json.decode(b'{"video":"a.mp4","poster":null,"size":4' + digest + b"}", type=StoredVideo)

        assert (stored.video, stored.size) == ("a.mp4", 4)


def test_the_field_of_the_digest_is_still_written() -> None:
    """Processes of these versions, which may run beside, read no job without it."""
    stored = msgspec.json.encode(StoredVideo(video="a.mp4", poster=None, size=4))

    assert msgspec.json.decode(stored, type=dict[str, object])["sha256"] == ""
