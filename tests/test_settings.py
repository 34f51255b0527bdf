"""Configuration: what is wrong stops the start with a sentence that names the key."""

import os
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from msgspec.inspect import DictType, Metadata, StrType, StructType, Type, VarTupleType

from adapter.database.address import kind_of
from adapter.domain.allowance import UNLIMITED, Allowance, read_budget, read_last_day
from adapter.domain.catalogue import LengthPolicy
from adapter.domain.markup import Markup
from adapter.errors import WrongConfiguration
from adapter.providers.flow.settings import FlowSettings
from adapter.providers.registry import BUILT_IN
from adapter.providers.vertex.settings import VertexSettings
from adapter.settings import Settings, load_catalogue, load_phrasebook, load_settings
from adapter.wiring import build_keys, build_read_context
from tests.support import ROOT, SANDBOX_TOML, catalogue


def load(tmp_path: Path, text: str, **environ: str) -> Settings:
    """Load a configuration given as text."""
    file = tmp_path / "adapter.toml"
    file.write_text(f'[access]\nkeys = ["plain:key"]\n{text}')
    return load_settings(file, environ)


def test_the_shipped_file_shows_every_default() -> None:
    """`config/adapter.toml` with its values taken away is the same configuration."""
    shown = load_settings(ROOT / "config" / "adapter.toml", {})
    bare = Settings(access=shown.access, providers=shown.providers)

    assert shown == bare


def test_the_shipped_file_shows_every_key() -> None:
    """A key that is not in the file is one that nobody finds."""
    text = (ROOT / "config" / "adapter.toml").read_text()
    shown = load_settings(ROOT / "config" / "adapter.toml", {})
    sections: list[msgspec.Struct] = [
        shown,
        shown.server,
        shown.access,
        shown.storage,
        shown.storage.s3,
        shown.jobs,
        shown.chat,
        shown.images,
        shown.limits,
        shown.fetching,
        shown.metrics,
    ]
    flow = shown.providers["flow"]
    assert isinstance(flow, FlowSettings)
    sections += [shown.providers["gemini"], flow, flow.accounts[0]]

    missing = [key for section in sections for key in section.__struct_fields__ if key not in text]
    assert missing == []


def test_the_section_of_google_cloud_shows_every_default(tmp_path: Path) -> None:
    """It is a comment, because it needs a library of its own. Without the marks it can be read."""
    lines = (ROOT / "config" / "adapter.toml").read_text().splitlines()
    start = lines.index(next(line for line in lines if line.startswith("# [providers.vertex]")))
    section = [line.removeprefix("# ") for line in lines[start : lines.index("", start)]]
    shown = load(tmp_path, "\n".join(section)).providers["vertex"]

    assert shown == VertexSettings(project="your-project-id", credential="google:")
    assert [key for key in shown.__struct_fields__ if not any(line.startswith(f"{key} =") for line in section)] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[providers.vertex]\ncredential = 'google:'", r"line 3: providers\.vertex: an access token needs a `project`"),
        ("[providers.vertex]\ncredential = 'env:K'\nauth = 'key'\nproject = 'mine'", "takes no `project`"),
        (
            "[providers.vertex]\ncredential = 'google:'\nproject = 'Mine'",
            r"vertex\.project: \"Mine\" .*Give the id of a project",
        ),
        (
            "[storage.s3]\nendpoint = 'minio:9000'",
            r'line 4: storage\.s3\.endpoint: "minio:9000" is not allowed\. Give the address of a server',
        ),
        ("[server]\nport = 70000", r"line 4: server\.port: 70000 is not allowed\. Give a whole number from 0 to 65535"),
        ("[server]\ntrusted_proxies = ['nginx']", r"server\.trusted_proxies: 'nginx' is no address"),
        ("[server]\nprot = 80", r"line 4: server\.prot: there is no such key\. Did you mean 'port'\?"),
        ("[server]\nmemory_bytes = 80", r"server\.memory_bytes: there is no such key\. It belongs to \[limits\]"),
        ("[server]\nxyz = 80", r"server\.xyz: there is no such key\. There are: host, port, public_url"),
        (
            "[fetching]\ncontact = 'me (at) home'",
            r"fetching\.contact: \"me \(at\) home\" is not allowed\. Give an address or",
        ),
        ("[servre]\nport = 80", r"line 3: servre: there is no such key\. Did you mean 'server'\?"),
        (
            "[jobs]\npoll_seconds = 'often'",
            r'jobs\.poll_seconds: "often" is not allowed\. Give a number from 0\.01 to 300',
        ),
        ("[jobs]\npoll_seconds = 8.0", "line 3: jobs.lease_seconds has to be at least twice"),
        ("[providers.gemini]\nkeys = []", r"line 4: providers\.gemini\.keys: the list is empty"),
        ("[providers.gemni]\nkeys = []", r"providers\.gemni: there is no such key\. Did you mean 'gemini'\?"),
        (
            "[[providers.flow.accounts]]\nname = 'a'\ntoken = 'env:T'",
            r"line 3: providers\.flow\.accounts\[0\]\.project_id: it is missing",
        ),
        (
            "[[providers.flow.accounts]]\nname = 'a'\ntoken = 'env:T'\nproject_id = 'p'\n" * 2,
            r"providers\.flow: two accounts have the name 'a'",
        ),
        ("[server]\npublic_url = 'here.example'", r"server\.public_url: .*an address that begins with http"),
        ("[chat]\nvideo_markup = 'bbcode'", r'chat\.video_markup: .*one of "markdown", "html", "div", "auto"'),
        (
            "[chat]\nheartbeat_seconds = 31",
            r"chat\.heartbeat_seconds: 31 is not allowed\. Give a number from 0\.05 to 30",
        ),
        ("[chat.markup_by_key]\n'env:NOBODY' = 'html'", "entry 1 of chat.markup_by_key is none of access.keys"),
        ("[images]\nresponse_format = 'b64_jsn'", r'images\.response_format: .*Did you mean "b64_json"\?'),
        (
            "[images.response_format_by_key]\ntools = 'both'\n'env:NOBODY' = 'url'",
            "entry 2 of images.response_format_by_key is none of access.keys",
        ),
        ("[chat]\nstream_errors = 'text'", r'chat\.stream_errors: "text" is not allowed\. Give one of "auto"'),
        (
            "[metrics]\nenabled = true",
            r"line 4: metrics\.enabled needs either metrics\.key, .*anonymous = true",
        ),
        (
            "[metrics]\nenabled = true\nkey = 'env:K'\nanonymous = true",
            r"metrics\.enabled needs either metrics\.key",
        ),
        ("[fetching]\ntrusted = ['images.internal']", r"fetching\.trusted\[0\]: .*Give HOST:PORT"),
        ("[fetching]\ntrusted = ['http://images.internal:80']", r"fetching\.trusted\[0\]: .*Give HOST:PORT"),
        (
            "[chat]\nside_calls = 'ignore'",
            r'chat\.side_calls: "ignore" is not allowed\. Give one of "answer", "generate", "refuse"',
        ),
        ("[chat]\nside_call_model = 'gemini-2.5-flash'", r"chat\.side_call_model needs .*providers\.gemini"),
        ("[chat]\nside_call_model = 'models/x?'", r"chat\.side_call_model: .*Give the name of a model"),
        ("[chat.side_call_patterns]\ntitel = ['x']", r"line 4: chat\.side_call_patterns\.titel: the name \"titel\""),
        ("[chat.side_call_patterns]\ntitle = 'x'", r'side_call_patterns\.title: "x" is not allowed\. Give a list'),
        ("port = = 3", "not valid TOML"),
        (
            "[server",
            r"line 3: this is not valid TOML: Expected '\]' at the end of a table declaration \(at end of document\)",
        ),
        ("[server]\nhost = 0.0.0.0", r'line 4, column 11: .*needs quotation marks: host = "…"'),
        ("[server]\nhost = “::”", r"line 4, column 8: .*straight quotation marks"),
        ("[server]\nport: 80", r"line 4, column 5: .*Write port = … for a value"),
        ("[server]\n[server]", r"line 4, column 8: .*Cannot declare \[server\] twice\. .*Write it once"),
        ("[server]\nport = " + "9" * 5000, "a number has too many digits"),
        ("[server]\nport = " + "[" * 5000, "too deep"),
        ("[server]\nhost = 'http://a'", r"server\.host: .*Give an address or a name of this machine without a port"),
        ("[server]\nhost = '0.0.0.0:80'", r"line 4: server\.host: .*without a port"),
        ('[server]\nhost = "a\\nb"', r'server\.host: "a\\u000ab" is not allowed'),
        ("[server]\npublic_url = 'https://a/?b'", r"server\.public_url: .*without user, \? and #"),
        ("[server]\npublic_url = 'https://me:pw@a'", r"server\.public_url: the value is not allowed"),
        ("[server]\nlog_level = 'INFO'", r'Did you mean "info"\?'),
        ("[server]\nPORT = 80", r"server\.PORT: there is no such key\. Did you mean 'port'"),
        ('[server]\n"po\\u001brt" = 1', r'server\."po\\u001brt": there is no such key'),
        ("# a\u2028b\n[server]\nport = 'x'", r"line 5: server\.port"),
        ("[[server]]\nport = 1", r"line 3: server: a list is no table"),
        ("[storage]\ndatabase = 'mysql://me:pw@a/b'", r"line 4: storage\.database: the value .*Give sqlite:///FILE or"),
        ("[storage]\nmedia = 'var/media'", r'line 4: storage\.media: "var/media" .*Give file://FOLDER or s3://'),
        ("[limits]\nmemory_bytes = '2GB'", r"a whole number of at least 1048576\."),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, text: str, says: str) -> None:
    """File, key, and what was expected."""
    with pytest.raises(WrongConfiguration, match=says):
        load(tmp_path, text)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """With the line of each; a secret is not shown."""
    text = "[[providers.flow.accounts]]\nname = ''\ntoken = 7\nproject_id = 'p'\n[jobs]\npoll_seconds = 'x'\nspol = ''"
    with pytest.raises(WrongConfiguration) as caught:
        load(tmp_path, f"{text}\n[access.owners]\nada = 'plain:sk-secret'")

    said = [line.partition(", ")[2] for line in caught.value.message.splitlines()]
    assert said == [
        "line 11: access.owners.ada: the value is not allowed. Give a list; each is a text.",
        'line 4: providers.flow.accounts[0].name: "" is not allowed. Give a text that is not empty.',
        "line 5: providers.flow.accounts[0].token: the value is not allowed. Give a text.",
        'line 8: jobs.poll_seconds: "x" is not allowed. Give a number from 0.01 to 300.',
        "line 9: jobs.spol: there is no such key. Did you mean 'spool'?",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[providers.flow.accounts]\nname = 'a'\ntoken = 'plain:sk-secret'",
        "[[providers.gemini]]\nkeys = ['plain:sk-secret']",
        "[server]\nport = ['sk-secret']",
        "[server]\nlog_level = 'https://me:sk-secret@example.com'",
        "[providers.gemini]\nkeys = ['plain:AIza']\nbase_url = sk-secret",
    ],
)
def test_a_mistake_shows_no_secret_that_stands_in_the_wrong_place(tmp_path: Path, text: str) -> None:
    """A table or a list is not shown, as it may have one inside; nor is a line that is no TOML."""
    with pytest.raises(WrongConfiguration) as caught:
        load(tmp_path, text)

    assert "sk-secret" not in caught.value.message


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "loop"])
def test_a_configuration_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    """A reload reads it again, and a pipe that is opened to be read waits for its writer."""
    path = tmp_path / "adapter.toml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.symlink_to(path)

    with pytest.raises(WrongConfiguration, match=r"adapter\.toml cannot be read: "):
        load_settings(path, {})


def test_every_database_that_opens_may_be_configured(tmp_path: Path) -> None:
    """The pattern of the setting and the reader of addresses agree."""
    good = (
        "sqlite:///a.db",
        "postgres://h/d",
        "postgresql://u:p%2F@h:1/d?sslmode=require",
        "postgresql:///d?host=/run",
    )
    bad = (
        "sqlite:///",
        "sqlite://a.db",
        "postgresql://",
        "postgresql://u:p/w@h/d",
        "postgresql://h/d#x",
        "mysql://h/d",
    )

    assert [load(tmp_path, f"[storage]\ndatabase = '{url}'").storage.database for url in good] == [*good]
    assert {kind_of(url) for url in good} == {"sqlite", "postgresql"}
    for url in bad:
        with pytest.raises(WrongConfiguration):
            kind_of(url)
        with pytest.raises(WrongConfiguration, match=r"storage\.database: the value is not allowed"):
            load(tmp_path, f"[storage]\ndatabase = '{url}'")


def test_a_value_in_the_place_of_a_section_is_named(tmp_path: Path) -> None:
    """With the form that is right."""
    file = tmp_path / "adapter.toml"
    file.write_text("chat = 3")

    with pytest.raises(WrongConfiguration, match=r"line 1: chat: 3 is no table\. Write \[chat\], and its keys below"):
        load_settings(file, {})


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    """Its editors write a byte order mark and other ends of lines."""
    file = tmp_path / "adapter.toml"
    file.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 8080\r\n")

    assert load_settings(file, {}).server.port == 8080


def test_what_a_setting_takes_is_said_in_words() -> None:
    """A regular expression helps no operator."""
    wordless = list(
        patterns_without_words(msgspec.inspect.multi_type_info([Settings, *(each.settings for each in BUILT_IN)]))
    )

    assert wordless == []


def patterns_without_words(kinds: Iterable[Type]) -> Iterator[str]:
    """Yield the patterns of settings that do not say what they mean."""
    for kind in kinds:
        match kind:
            case Metadata(type=StrType(pattern=str()), extra_json_schema=extra) if "description" in (extra or {}):
                continue
            case Metadata(type=inner):
                yield from patterns_without_words([inner])
            case StrType(pattern=str() as pattern):
                yield pattern
            case StructType(fields=fields):
                yield from patterns_without_words(field.type for field in fields)
            case VarTupleType(item_type=inner):
                yield from patterns_without_words([inner])
            case DictType(key_type=key, value_type=value):
                yield from patterns_without_words([key, value])


def test_a_mistake_above_all_sections_is_named_too(tmp_path: Path) -> None:
    """The list of models has no section."""
    with pytest.raises(WrongConfiguration, match=r'^ADAPTER__LIST_MODELS: list_models: "some" is not allowed'):
        load(tmp_path, "", ADAPTER__LIST_MODELS="some")


def test_keys_are_named_as_they_stand_there_or_by_their_own_names(tmp_path: Path) -> None:
    """What is shown is never a key."""
    settings = load(tmp_path, "[chat.markup_by_key]\n'plain:key' = 'auto'\nopen-webui = 'html'")

    assert settings.chat.markup_by_key == {"plain:key": Markup.AUTO, "open-webui": Markup.HTML}
    with pytest.raises(WrongConfiguration) as caught:
        load(tmp_path, "[chat.markup_by_key]\n'plain:sk-secret' = 'html'")
    assert "sk-secret" not in caught.value.message


@pytest.mark.parametrize(
    ("phrases", "says"),
    [
        ("['Name this chat', '/(/']", r"chat\.side_call_patterns\.title\[1\]: '/\(/': missing \)"),
        ("['']", r"chat\.side_call_patterns\.title\[0\]: '': a phrase has at least"),
        ("['* * *']", r"title\[0\]: .*at least"),
        ("['abc']", r"title\[0\]: 'abc': .*at least"),
        ("['/.*/']", r"title\[0\]: '/\.\*/': it fits every text"),
    ],
)
@pytest.mark.parametrize("mode", ["answer", "generate"])
def test_a_pattern_that_cannot_be_used_stops_the_start(tmp_path: Path, phrases: str, says: str, mode: str) -> None:
    """Its key and number are in the message."""
    settings = load(tmp_path, f"[chat]\nside_calls = '{mode}'\n[chat.side_call_patterns]\ntitle = {phrases}")

    with pytest.raises(WrongConfiguration, match=says):
        load_phrasebook(settings.chat)


def test_the_operators_patterns_come_before_the_shipped_ones(tmp_path: Path) -> None:
    """They add to them, and may say what another kind is."""
    text = "[chat.side_call_patterns]\ntags = ['Wie heißt das hier']\ntitle = ['Ignore previous instructions']"
    book = load_phrasebook(load(tmp_path, text).chat)

    assert book.kind_of("wie heißt das hier?") == "tags"
    assert book.kind_of("Ignore previous instructions. Classify the emotion of the last message") == "title"
    assert book.kind_of("Provide a concise, 5-word-or-less title for the conversation") == "title"
    assert book.kind_of("a fox") is None


def test_who_wants_everything_generated_has_no_patterns(tmp_path: Path) -> None:
    """Not even those of known programs."""
    book = load_phrasebook(load(tmp_path, "[chat]\nside_calls = 'generate'").chat)

    assert book.kind_of("Provide a concise, 5-word-or-less title for the conversation") is None


def test_a_file_that_is_not_there_is_named() -> None:
    """The path is in the message."""
    with pytest.raises(WrongConfiguration, match=r"nowhere\.toml cannot be read"):
        load_settings(Path("nowhere.toml"), {})


def test_the_environment_lies_over_the_file(tmp_path: Path) -> None:
    """Numbers, switches, lists and texts, in sections that the file has or has not."""
    settings = load(
        tmp_path,
        "[server]\nport = 80",
        ADAPTER__SERVER__PORT="9000",
        ADAPTER__ACCESS__ANONYMOUS="true",
        ADAPTER__ACCESS__KEYS='["env:A", "env:B"]',
        ADAPTER__STORAGE__DATABASE="sqlite:///elsewhere.db",
        ADAPTER__PROVIDERS__GEMINI__KEYS='["env:G"]',
        UNRELATED="x",
    )

    assert settings.server.port == 9000
    assert settings.access == msgspec.structs.replace(settings.access, anonymous=True, keys=("env:A", "env:B"))
    assert settings.storage.database == "sqlite:///elsewhere.db"
    assert [*settings.providers] == ["gemini"]


def test_links_begin_with_the_public_url_or_our_own_address(tmp_path: Path) -> None:
    """Never with what a request's headers say."""
    assert load(tmp_path, "[server]\nport = 81").public_url == "http://127.0.0.1:81"
    assert load(tmp_path, "[server]\nhost = '0.0.0.0'").public_url == "http://127.0.0.1:8000"
    assert load(tmp_path, "[server]\nhost = ''").public_url == "http://127.0.0.1:8000"
    assert load(tmp_path, "[server]\nhost = '::1'").on_port(9).public_url == "http://[::1]:9"
    assert load(tmp_path, "[server]\npublic_url = 'https://media.example/'").public_url == "https://media.example"


@pytest.mark.parametrize(
    "name",
    [
        "ADAPTER____PORT",
        "ADAPTER__SERVER__PORT__FIRST",
        "ADAPTER__PROVIDERS__FLOW__ACCOUNTS__0__TOKEN",
        "ADAPTER__ACCESS__KEYS__0",
    ],
)
def test_a_variable_that_leads_nowhere_is_named(tmp_path: Path, name: str) -> None:
    """It may make a table where none can be."""
    with pytest.raises(WrongConfiguration, match=rf"^{name}: "):
        load(tmp_path, "", **{name: "x"})


def test_a_mistake_in_a_variable_is_not_blamed_on_the_file_alone(tmp_path: Path) -> None:
    """The variable is named, and not the file."""
    with pytest.raises(WrongConfiguration, match=r"^ADAPTER__SERVER__PROT: server\.prot: there is no such key"):
        load(tmp_path, "", ADAPTER__SERVER__PROT="80")


def test_an_enabled_sandbox_is_where_every_provider_goes() -> None:
    """Nothing of a sandbox configuration can reach Google."""
    directed = load_settings(SANDBOX_TOML, {}).directed_to("http://127.0.0.1:9")

    assert {name: section.base_url for name, section in directed.providers.items()} == dict.fromkeys(
        ("gemini", "omni", "flow"), "http://127.0.0.1:9"
    )


KEY = "[access.keys.ada]\nkey = 'env:A'\n"


def load_alone(tmp_path: Path, text: str) -> Settings:
    """Load a configuration that has no list of keys."""
    file = tmp_path / "adapter.toml"
    file.write_text(text)
    return load_settings(file, {})


def test_a_key_may_have_a_table_with_what_it_may_do(tmp_path: Path) -> None:
    """Its owner is its name, if no other is given."""
    table = "models = ['gemini-*']\nrpm = 10\nimages_per_day = 0\nbudget = '20USD/month'\nexpires = 2027-01-31\n"
    settings = load_alone(tmp_path, f"{KEY}{table}[access.keys.ben]\nkey = 'plain:b'\nowner = 'team'")
    keys = settings.access.named_keys

    assert keys["ada"].allowance == Allowance(
        models=("gemini-*",),
        rpm=10,
        images_per_day=0,
        budget=read_budget("20USD/month"),
        expires_at=read_last_day(date(2027, 1, 31)),
    )
    assert keys["ben"].allowance == UNLIMITED
    assert settings.secrets() == [("access.keys.ada.key", "env:A"), ("access.keys.ben.key", "plain:b")]
    assert [(key.id, key.owner) for key in build_keys(load_alone(tmp_path, "[access.keys.b]\nkey = 'plain:b'"))] == [
        ("b", "key:b")
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("budget = '20EUR/month'", r"line 3: access\.keys\.ada\.budget: 'EUR' is no currency; there are: USD, credits"),
        ("rpm = 0", r"line 3: access\.keys\.ada\.rpm: 0 is not allowed\. Give a whole number from 1 to 999999"),
        ("image_per_day = 1", r"line 3: access\.keys\.ada\.image_per_day: .* Did you mean 'images_per_day'"),
        ("expires = 'soon'", r'access\.keys\.ada\.expires: "soon" is not allowed\. Give a date, such as 2026-10-06'),
        ("[access.keys.ben]", r"access\.keys\.ben\.key: it is missing"),
        ("[access]\nowners = { a = ['env:A'] }", "A key with a table of its own has its owner there"),
    ],
)
def test_a_wrong_table_of_a_key_is_named(tmp_path: Path, text: str, says: str) -> None:
    """With its line, and with what is allowed. The reference is not shown."""
    with pytest.raises(WrongConfiguration, match=says) as refused:
        load_alone(tmp_path, KEY + text)

    assert "env:A" not in refused.value.message


def test_keys_are_a_list_or_tables(tmp_path: Path) -> None:
    """The message says both."""
    says = r"access\.keys: the value is not allowed\. Give a list of references, .* or tables \[access\.keys\.NAME\]"
    with pytest.raises(WrongConfiguration, match=says):
        load_alone(tmp_path, "[access]\nkeys = 'env:A'")


def test_the_tables_of_keys_in_the_shipped_file_show_every_key(tmp_path: Path) -> None:
    """They are a comment, because the list stands there. Without the marks they can be read."""
    lines = (ROOT / "config" / "adapter.toml").read_text().splitlines()
    start = lines.index(next(line for line in lines if line.startswith("# [access.keys.alice]")))
    section = [line.removeprefix("# ") for line in lines[start : lines.index("", start)]]
    shown = load_alone(tmp_path, "\n".join(section)).access.named_keys["alice"]

    assert shown.allowance.is_limited
    assert [key for key in shown.__struct_fields__ if not any(line.startswith(f"{key} =") for line in section)] == []


def test_every_secret_is_listed_by_its_key() -> None:
    """So that `adapter check` can read each."""
    keys = [key for key, _ in load_settings(ROOT / "config" / "adapter.toml", {}).secrets()]

    assert keys == [
        "access.keys[0]",
        "providers.gemini.keys[0]",
        "providers.flow.accounts[0].token",
        "providers.omni.keys[0]",
    ]


def test_the_keys_of_a_bucket_are_secrets_and_go_together(tmp_path: Path) -> None:
    """One alone is a mistake that the library would not notice."""
    both = load(tmp_path, "[storage.s3]\naccess_key = 'env:A'\nsecret_key = 'env:B'")

    assert both.secrets()[-2:] == [("storage.s3.access_key", "env:A"), ("storage.s3.secret_key", "env:B")]
    with pytest.raises(WrongConfiguration, match=r"storage\.s3\.access_key and storage\.s3\.secret_key go together"):
        load(tmp_path, "[storage.s3]\naccess_key = 'env:A'")


def test_a_catalogue_with_a_mistake_is_named(tmp_path: Path) -> None:
    """An alias to nowhere, a ratio that does not exist."""
    settings = load_settings(SANDBOX_TOML, {})
    card = 'provider = "flow"\nupstream = "X"\nreleased = 2025-01-01\n'
    for text, says in [
        (f'[[image]]\nname = "x"\n{card}ratios = ["7:3"]', "7:3"),
        (f'[[image]]\nname = "x"\n{card}', "ratios"),
    ]:
        (tmp_path / "models.toml").write_text(text)
        with pytest.raises(WrongConfiguration, match=rf"models\.toml.*{says}"):
            load_catalogue(tmp_path / "adapter.toml", settings)


def test_a_catalogue_beside_the_configuration_counts_else_the_programs_own(tmp_path: Path) -> None:
    """So that an operator's own is never passed over, and a configuration alone is enough."""
    config = tmp_path / "adapter.toml"
    settings = load_settings(SANDBOX_TOML, {})
    assert load_catalogue(config, settings).find("veo-3.1-fast").name == "veo-3.1-fast"

    own = (ROOT / "config" / "models.toml").read_text().replace('name = "veo-3.1-fast"', 'name = "own"')
    (tmp_path / "models.toml").write_text(own.replace('"veo-3.1-fast"', '"own"'))
    assert load_catalogue(config, settings).find("own").name == "own"

    (tmp_path / "other.toml").write_text("")
    named = msgspec.structs.replace(settings, models="other.toml")
    assert not list(load_catalogue(config, named).models)


def test_a_catalogue_that_was_named_or_is_broken_is_not_replaced_by_the_programs_own(tmp_path: Path) -> None:
    """Other models than the operator's would be offered in silence."""
    config = tmp_path / "adapter.toml"
    settings = load_settings(SANDBOX_TOML, {})
    with pytest.raises(WrongConfiguration, match=r"mine\.toml cannot be read"):
        load_catalogue(config, msgspec.structs.replace(settings, models="mine.toml"))

    (tmp_path / "models.toml").symlink_to("nowhere")
    with pytest.raises(WrongConfiguration, match=r"models\.toml cannot be read"):
        load_catalogue(config, settings)


@pytest.mark.parametrize(
    ("said", "policy"),
    [("", None), ("by_name", None), ("nearest", LengthPolicy.NEAREST), ("exact", LengthPolicy.EXACT)],
)
def test_the_operator_says_what_a_length_is_worth(tmp_path: Path, said: str, policy: LengthPolicy | None) -> None:
    """By the model's name where he does not."""
    text = f'[videos]\nseconds_policy = "{said}"\n' if said else ""

    assert build_read_context(load(tmp_path, text), catalogue()).length_policy is policy
