"""The files of docs/deploy and the example of a cluster: true to what the program reads, needs and answers."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml
from jsonschema import Draft201909Validator, Draft202012Validator

from adapter.jobs.poller import FINISH_SECONDS
from adapter.openai_api.routes import health
from adapter.settings import PREFIX, Settings, load_settings
from tests.buckets import S3Server
from tests.postgres import PASSWORD, PostgresServer
from tests.programs import run_program
from tests.support import GOLDEN, ROOT

EXAMPLE = ROOT / "config" / "cluster.example.toml"
FOLDER = ROOT / "docs" / "deploy"
SETTINGS = load_settings(EXAMPLE, {})
SECRETS = {reference.rpartition("/")[2] for _, reference in SETTINGS.secrets()}
PATHS = {path for route in (health.health, health.ready) for path in route.paths}

OBJECTS = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
KUBERNETES = {f"{each['kind']}/{each['metadata']['name']}": each for each in OBJECTS}
PROCESSES = KUBERNETES["StatefulSet/adapter"]["spec"]
POD = PROCESSES["template"]["spec"]
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
NGINX = (FOLDER / "nginx.conf").read_text()
UNIT = (FOLDER / "adapter.service").read_text()
#: Of Kubernetes and of Compose; the folder says where they are from.
SCHEMAS = json.loads((GOLDEN / "deploy" / "kubernetes.json").read_text())
CONTAINERFILE = (ROOT / "Containerfile").read_text()


def is_a_key(name: str) -> bool:
    """Say whether a variable of the environment is one that the settings have."""
    kind: type = Settings
    for part in name.removeprefix(PREFIX).lower().split("__"):
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        if part not in fields:
            return False
        kind = fields[part]
    return True


def nginx(name: str) -> str:
    """Return what a directive of nginx is set to."""
    found = re.search(rf"^\s*{name} (.+?);", NGINX, re.MULTILINE)
    assert found, name
    return found[1]


def test_every_secret_of_the_example_is_a_reference() -> None:
    """And what is no secret has its place in the settings: loading refuses unknown keys."""
    assert len(SETTINGS.secrets()) == 6
    assert all(reference.startswith("file:/run/secrets/") for _, reference in SETTINGS.secrets())
    assert "plain:" not in EXAMPLE.read_text()


def test_the_example_passes_the_check_once_its_secrets_are_there(
    postgres: PostgresServer, s3: S3Server, tmp_path: Path
) -> None:
    """With the addresses of a real server and a real bucket."""
    for name in SECRETS:
        (tmp_path / name).write_text(PASSWORD if name == "database-password" else "a-secret-of-24-characters")
    config = tmp_path / "adapter.toml"
    config.write_text(EXAMPLE.read_text().replace("/run/secrets", str(tmp_path)).replace("YOUR-PROJECT-ID", "mine"))
    environ = {
        "ADAPTER__STORAGE__DATABASE": postgres.new_url().replace(f":{PASSWORD}", ""),
        "ADAPTER__STORAGE__MEDIA": f"s3://{s3.new_bucket()}/media",
        "ADAPTER__STORAGE__S3__ENDPOINT": s3.url,
        "ADAPTER__FOLDER": str(tmp_path),
    }
    done = run_program("check", "--config", str(config), folder=tmp_path, environ=os.environ | environ)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("secret       ok") == len(SECRETS)
    assert "database     ok" in done.stdout
    assert "media        ok" in done.stdout
    assert "warning" not in done.stdout


def test_the_manifest_carries_the_example(tmp_path: Path) -> None:
    """Word for word, so that they say the same."""
    carried = KUBERNETES["ConfigMap/adapter"]["data"]["adapter.toml"]

    assert carried == EXAMPLE.read_text()
    (tmp_path / "adapter.toml").write_text(carried)
    assert load_settings(tmp_path / "adapter.toml", {}) == SETTINGS


@pytest.mark.parametrize(
    "environ",
    [
        {each["name"]: each["value"] for each in POD["containers"][0]["env"]},
        COMPOSE["services"]["adapter"]["environment"],
        dict(re.findall(r"(ADAPTER_\w+)=(\S+)", CONTAINERFILE)),
    ],
)
def test_the_environment_is_one_that_the_program_reads(environ: dict[str, str]) -> None:
    """A misspelt key would be refused at the start."""
    assert environ
    assert [name for name in environ if name != "ADAPTER_CONFIG" and not is_a_key(name)] == []


def test_the_probes_of_the_manifest_ask_for_what_there_is() -> None:
    """At the port that is listened on; and a restart is not for a database that is away."""
    container = POD["containers"][0]
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}

    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/health",
        "readiness": "/ready",
        "liveness": "/health",
    }
    assert {probe["path"] for probe in probes.values()} == PATHS
    assert {probe["port"] for probe in probes.values()} == {container["ports"][0]["name"]}
    assert container["ports"][0]["containerPort"] == SETTINGS.server.port
    services = [each["spec"] for each in OBJECTS if each["kind"] == "Service"]
    assert {each["ports"][0]["targetPort"] for each in services} == {container["ports"][0]["name"]}


def test_a_process_gets_the_time_that_it_may_need_to_end() -> None:
    """Pictures get their seconds, and a submission that is on its way gets more."""
    needed = max(FINISH_SECONDS, SETTINGS.server.shutdown_seconds)
    pause = int(POD["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])

    assert POD["terminationGracePeriodSeconds"] > needed + pause
    assert int(COMPOSE["services"]["adapter"]["stop_grace_period"].removesuffix("s")) > needed


@pytest.mark.parametrize("secrets", [set(COMPOSE["services"]["adapter"]["secrets"]), set(COMPOSE["secrets"])])
def test_compose_hands_over_every_secret(secrets: set[str]) -> None:
    """Under the names that the example knows."""
    assert secrets == SECRETS


def test_the_manifest_says_how_every_secret_is_made() -> None:
    """In its first lines; it holds none itself."""
    made = re.findall(r"--from-file=(\S+)", (FOLDER / "kubernetes.yaml").read_text())
    mounts = {each["mountPath"] for each in POD["containers"][0]["volumeMounts"]}

    assert set(made) == SECRETS
    assert "Secret" not in {each["kind"] for each in OBJECTS}
    assert mounts == {"/run/secrets", "/etc/adapter", "/app/var", "/tmp"}  # noqa: S108 - of a container


def test_every_lock_that_the_container_file_names_is_let_into_the_build() -> None:
    """`.dockerignore` keeps everything out that it does not name."""
    named = set(re.findall(r"requirements[\w-]*\.lock", CONTAINERFILE))

    assert named == {"requirements.lock", "requirements-traces.lock", "requirements-vertex.lock"}
    assert named <= {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()}


def test_the_container_runs_as_the_user_that_the_manifest_names() -> None:
    """By number, without rights, on a file system that is read-only but for its volumes."""
    user = re.search(r"^USER (\d+):\d+$", CONTAINERFILE, re.MULTILINE)
    context = POD["containers"][0]["securityContext"]

    assert user
    assert int(user[1]) == POD["securityContext"]["runAsUser"] != 0
    assert context["readOnlyRootFilesystem"]
    assert COMPOSE["services"]["adapter"]["read_only"]
    assert f"EXPOSE {SETTINGS.server.port}\n" in CONTAINERFILE


def test_the_proxy_waits_as_long_as_a_video_may_take_and_takes_what_a_request_may_weigh() -> None:
    """Connections are kept shorter than by the adapter, and nothing that was paid for is sent a second time."""
    told = {line.partition("#")[0].strip() for line in NGINX.splitlines()}

    assert int(nginx("proxy_read_timeout").removesuffix("s")) >= SETTINGS.jobs.deadline_minutes * 60
    assert int(nginx("client_max_body_size").removesuffix("m")) * 1024 * 1024 >= SETTINGS.limits.body_bytes
    assert SETTINGS.limits.idle_seconds > 60  # nginx's own, unless it is told otherwise
    assert not any("non_idempotent" in line for line in told)
    assert nginx("server adapter:8000").startswith("resolve")
    ingress = KUBERNETES["Ingress/adapter"]["metadata"]["annotations"]
    for name in ("proxy-body-size", "proxy-read-timeout", "proxy-send-timeout"):
        directive = "client_max_body_size" if name == "proxy-body-size" else name.replace("-", "_")
        assert ingress[f"nginx.ingress.kubernetes.io/{name}"] == nginx(directive).removesuffix("s")


def test_the_spool_outlives_its_container() -> None:
    """In both it lies on a volume that is kept; on a cluster each process has one of its own."""
    folder = Path(SETTINGS.folder) / SETTINGS.jobs.spool
    mounts = {each["mountPath"]: each["name"] for each in POD["containers"][0]["volumeMounts"]}
    claims = {each["metadata"]["name"] for each in PROCESSES["volumeClaimTemplates"]}
    volumes = dict(each.split(":")[1::-1] for each in COMPOSE["services"]["adapter"]["volumes"])

    assert folder.is_absolute()
    assert str(folder.parent) == str((Path(SETTINGS.folder) / SETTINGS.server.control).parent)
    assert mounts[str(folder.parent)] in claims
    assert volumes[str(folder.parent)] in COMPOSE["volumes"]


@pytest.mark.parametrize("each", OBJECTS, ids=KUBERNETES)
def test_each_object_of_the_manifest_is_valid(each: dict[str, object]) -> None:
    """By the strict schema of its kind: an unknown field is a fault."""
    [name] = [name for name in SCHEMAS["$defs"] if is_schema_of(name, each)]
    schema = SCHEMAS | {"$ref": f"#/$defs/{name}"}

    assert [fault.message for fault in Draft202012Validator(schema).iter_errors(each)] == []


def is_schema_of(name: str, each: dict[str, object]) -> bool:
    """Say whether a schema is the one of an object."""
    properties = SCHEMAS["$defs"][name].get("properties", {})
    return all(properties.get(key, {}).get("enum") == [each[key]] for key in ("apiVersion", "kind"))


def test_the_compose_file_is_valid() -> None:
    """The schema is older than the key `name`, which the specification has had since 2022."""
    schema = json.loads((GOLDEN / "deploy" / "compose.json").read_text())
    schema["properties"]["name"] = {"type": "string"}

    assert [fault.message for fault in Draft201909Validator(schema).iter_errors(COMPOSE)] == []


def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    """The program is not where the unit looks for it, so another one stands in its place."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze on this machine")
    unit = tmp_path / "adapter.service"
    unit.write_text(UNIT.replace("/opt/adapter/bin/adapter", sys.executable))
    verified = analyze("verify", str(unit))
    said = analyze("security", "--offline=yes", str(unit)).stdout.strip().splitlines()[-1]
    print(said)
    exposure = re.search(r"level for adapter.service: ([\d.]+)", said)

    assert (verified.returncode, verified.stderr) == (0, "")
    assert exposure
    assert float(exposure[1]) <= 2.0


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    command = ["systemd-analyze", "--no-pager", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_unit_waits_as_long_as_a_process_may_need() -> None:
    """It also has the descriptors for the connections that are allowed by default."""
    unit = dict(re.findall(r"^(\w+)=(.+)$", UNIT, re.MULTILINE))

    assert int(unit["TimeoutStopSec"]) > max(FINISH_SECONDS, SETTINGS.server.shutdown_seconds)
    assert int(unit["LimitNOFILE"]) >= SETTINGS.limits.connections + SETTINGS.limits.descriptors_reserve
    assert unit["WorkingDirectory"] == f"/var/lib/{unit['StateDirectory']}"
    assert unit["After"] == unit["Wants"] == "network-online.target"


def test_every_image_has_a_version_and_ours_a_name_that_the_operator_sets() -> None:
    """What is called `latest` is another thing tomorrow."""
    images = {name: service["image"] for name, service in COMPOSE["services"].items()}
    ours = images.pop("adapter")

    assert ours.startswith("${ADAPTER_IMAGE:?")
    assert POD["containers"][0]["image"] == "ADAPTER_IMAGE"
    assert all(re.fullmatch(r"[a-z.]+/[a-z]+/[a-z]+:(RELEASE\.)?[\dT.:Z-]+", image) for image in images.values())
