"""Configuration: what is wrong stops the start with a sentence that names the key."""

from pathlib import Path

import msgspec
import pytest

from adapter.domain.catalogue import LengthPolicy
from adapter.domain.markup import Markup
from adapter.errors import WrongConfiguration
from adapter.providers.flow.settings import FlowSettings
from adapter.providers.vertex.settings import VertexSettings
from adapter.settings import Settings, load_catalogue, load_phrasebook, load_settings
from adapter.wiring import build_read_context
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
        ("[providers.vertex]\ncredential = 'google:'", "an access token needs a `project`"),
        ("[providers.vertex]\ncredential = 'env:K'\nauth = 'key'\nproject = 'mine'", "takes no `project`"),
        ("[providers.vertex]\ncredential = 'google:'\nproject = 'Mine'", r"\$\.providers\.vertex\.project"),
        ("[storage.s3]\nendpoint = 'minio:9000'", r"`\$\.storage\.s3\.endpoint`"),
        ("[server]\nport = 70000", r"`int` <= 65535 - at `\$\.server\.port`"),
        ("[server]\ntrusted_proxies = ['nginx']", r"server\.trusted_proxies: 'nginx' is no address"),
        ("[server]\nprot = 80", r"unknown field `prot` - at `\$\.server`"),
        ("[fetching]\ncontact = 'me (at) home'", r"\$\.fetching\.contact"),
        ("[servre]\nport = 80", r"unknown field `servre`"),
        ("[jobs]\npoll_seconds = 'often'", r"Expected `float`.*\$\.jobs\.poll_seconds"),
        ("[jobs]\npoll_seconds = 8.0", "at least twice"),
        ("[providers.gemini]\nkeys = []", r"\$\.providers\.gemini\.keys"),
        (
            "[[providers.flow.accounts]]\nname = 'a'\ntoken = 'env:T'",
            r"`project_id` - at `\$\.providers\.flow\.accounts\[0\]`",
        ),
        ("[server]\npublic_url = 'here.example'", r"\$\.server\.public_url"),
        ("[chat]\nvideo_markup = 'bbcode'", r"\$\.chat\.video_markup"),
        ("[chat]\nheartbeat_seconds = 31", r"\$\.chat\.heartbeat_seconds"),
        ("[chat.markup_by_key]\n'env:NOBODY' = 'html'", "entry 1 of chat.markup_by_key is none of access.keys"),
        ("[images]\nresponse_format = 'jpeg'", r"\$\.images\.response_format"),
        (
            "[images.response_format_by_key]\ntools = 'both'\n'env:NOBODY' = 'url'",
            "entry 2 of images.response_format_by_key is none of access.keys",
        ),
        ("[chat]\nstream_errors = 'text'", r"\$\.chat\.stream_errors"),
        ("[fetching]\ntrusted = ['images.internal']", r"\$\.fetching\.trusted\[0\]"),
        ("[fetching]\ntrusted = ['http://images.internal:80']", r"\$\.fetching\.trusted\[0\]"),
        (
            "[chat]\nside_calls = 'ignore'",
            r"Invalid enum value 'ignore' - at `\$\.chat\.side_calls`",
        ),
        ("[chat]\nside_call_model = 'gemini-2.5-flash'", r"chat\.side_call_model needs .*providers\.gemini"),
        ("[chat]\nside_call_model = 'models/x?'", r"\$\.chat\.side_call_model"),
        ("[chat.side_call_patterns]\ntitel = ['x']", r"'titel' - at .*\$\.chat\.side_call_patterns"),
        ("[chat.side_call_patterns]\ntitle = 'x'", r"Expected `array`.*\$\.chat\.side_call_patterns"),
        ("port = = 3", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, text: str, says: str) -> None:
    """File, key, and what was expected."""
    with pytest.raises(WrongConfiguration, match=says):
        load(tmp_path, text)


def test_a_mistake_above_all_sections_is_named_too(tmp_path: Path) -> None:
    """The list of models has no section."""
    with pytest.raises(WrongConfiguration, match=r"Invalid enum value 'some' - at `\$\.list_models`"):
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
    assert load(tmp_path, "[server]\nhost = '::1'").on_port(9).public_url == "http://[::1]:9"
    assert load(tmp_path, "[server]\npublic_url = 'https://media.example/'").public_url == "https://media.example"


def test_a_mistake_in_a_variable_is_not_blamed_on_the_file_alone(tmp_path: Path) -> None:
    """The variable is named beside it."""
    with pytest.raises(WrongConfiguration, match=r"adapter\.toml or ADAPTER__SERVER__PROT: .*`prot`"):
        load(tmp_path, "", ADAPTER__SERVER__PROT="80")


def test_an_enabled_sandbox_is_where_every_provider_goes() -> None:
    """Nothing of a sandbox configuration can reach Google."""
    directed = load_settings(SANDBOX_TOML, {}).directed_to("http://127.0.0.1:9")

    assert {name: section.base_url for name, section in directed.providers.items()} == dict.fromkeys(
        ("gemini", "omni", "flow"), "http://127.0.0.1:9"
    )


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
