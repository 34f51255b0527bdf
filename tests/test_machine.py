"""The facts about a machine, read from files as the kernel writes them."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapter.machine import memory_limit, read_machine
from adapter.settings import load_settings

RAM = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
SECOND = "0::/system.slice/adapter.service\n"
FIRST = "5:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n"


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, RAM),
        ({"proc/self/cgroup": SECOND}, RAM),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n"}, 1000),
        ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/system.slice/adapter.service/memory.max": "max\n"}, RAM),
        (
            {
                "proc/self/cgroup": SECOND,
                "sys/fs/cgroup/system.slice/adapter.service/memory.max": "2000\n",
                "sys/fs/cgroup/system.slice/memory.max": "1500\n",
            },
            1500,
        ),
        ({"proc/self/cgroup": FIRST, "sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes": "3000\n"}, 3000),
        # In a container the folder of the group is not there, and the root is the container's.
        ({"proc/self/cgroup": FIRST, "sys/fs/cgroup/memory/memory.limit_in_bytes": "4000\n"}, 4000),
        ({"proc/self/cgroup": FIRST, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, RAM),
    ],
)
def test_the_memory_limit_is_the_lowest_of_all(tmp_path: Path, files: Mapping[str, str], limit: int) -> None:
    """The RAM, the group of the process, and each group around it; of both versions of control groups."""
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    assert memory_limit(tmp_path) == limit


async def test_keys_are_measured_and_not_remembered(tmp_path: Path) -> None:
    """A program that prints a key is not run; a file that cannot be used is left to who reads it."""
    (tmp_path / "key").write_text("sk-sandbox\n")
    (tmp_path / "empty").write_text("")
    config = tmp_path / "adapter.toml"
    config.write_text(
        f"access = {{ keys = ['plain:0123456789', 'file:{tmp_path}/key', 'file:{tmp_path}/empty', 'cmd:false'] }}"
    )
    machine = await read_machine(load_settings(config, {}))

    assert machine.quoted == []
    assert machine.key_lengths == {"access.keys[0]": 10, "access.keys[1]": 10}
    assert machine.default_keys == ["access.keys[1]"]


async def test_quotation_marks_around_a_secret_are_seen(tmp_path: Path) -> None:
    """Of every secret that can be read without a program."""
    (tmp_path / "token").write_text("'ya29.token'\n")
    config = tmp_path / "adapter.toml"
    config.write_text(
        "access = { keys = ['plain:sk-key'] }\n[providers.gemini]\nkeys = ['plain:\"AIza\"', 'cmd:false']\n"
        f"[[providers.flow.accounts]]\nname = 'a'\ntoken = 'file:{tmp_path}/token'\nproject_id = 'p'"
    )

    machine = await read_machine(load_settings(config, {}))

    assert machine.quoted == ["providers.gemini.keys[0]", "providers.flow.accounts[0].token"]


async def test_the_rights_of_what_exists_are_read(tmp_path: Path) -> None:
    """A new installation has nothing yet."""
    config = tmp_path / "adapter.toml"
    config.write_text(
        f"storage = {{ database = 'sqlite:///{tmp_path}/a.db', media = 'file://{tmp_path}/media' }}\n"
        f"jobs = {{ spool = '{tmp_path}/spool' }}"
    )
    settings = load_settings(config, {})
    assert (await read_machine(settings)).modes == {}

    (tmp_path / "a.db").touch()
    (tmp_path / "a.db").chmod(0o644)
    (tmp_path / "media").mkdir()
    (tmp_path / "media").chmod(0o755)

    assert (await read_machine(settings)).modes == {"storage.database": 0o644, "storage.media": 0o755}


async def test_a_server_and_a_bucket_have_no_rights_here(tmp_path: Path) -> None:
    """Who may read them is said there."""
    config = tmp_path / "adapter.toml"
    config.write_text(
        "storage = { database = 'postgresql://adapter@postgres/adapter', media = 's3://bucket' }\njobs = { spool = '' }"
    )

    assert (await read_machine(load_settings(config, {}))).modes == {}
