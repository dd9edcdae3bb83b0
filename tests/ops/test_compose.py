"""The containers, the metrics' rules and the dashboard fit together and fit the program.

No container is started here: what can be judged without them is judged.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.cli.commands import entry_of
from app.cli.main import build
from app.config import SPECS
from app.operations.metrics import FAMILIES
from ledger.facts.families import FAMILIES as FACTS
from ledger.kafka.topics import Topics
from tests.support.cli import run

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
PROMETHEUS: Final = ROOT / "ops" / "prometheus"
DASHBOARDS: Final = sorted((ROOT / "ops" / "grafana" / "dashboards").glob("*.json"))
PROFILES: Final = ("ui", "observability", "tls")
METRIC: Final = re.compile(r"\bregistro_[a-z_]+")
PINNED: Final = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?[a-z0-9.-]*$")

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = DOCUMENT["services"]
SERVED: Final = sorted(name for name, one in SERVICES.items() if one["restart"] != "no")
OURS: Final = sorted(name for name, one in SERVICES.items() if "build" in one)


def each(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", names)


def expanded(text: str) -> str:
    """Replace `${NAME:-default}` by the default, as Compose does without the variable."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


# The file


def test_the_default_is_what_production_needs_and_the_rest_are_profiles() -> None:
    default = {name for name, one in SERVICES.items() if "profiles" not in one}
    assert default == {
        "postgres",
        "kafka",
        "setup",
        "roles",
        "app",
        "publisher",
        "intake",
        "projector",
    }
    used = {profile for one in SERVICES.values() for profile in one.get("profiles", ())}
    assert used == set(PROFILES)


@pytest.mark.parametrize("profiles", [(), *((one,) for one in PROFILES), PROFILES])
def test_compose_reads_the_file(profiles: tuple[str, ...]) -> None:
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed: apt-get install docker-compose")
    words = [word for profile in profiles for word in ("--profile", profile)]
    command = ["docker-compose", "--file", str(COMPOSE), *words, "config", "--quiet"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr


# Every service


@each(sorted(SERVICES))
def test_a_service_has_no_rights_it_does_not_need(name: str) -> None:
    one = SERVICES[name]
    user, _, group = str(one["user"]).partition(":")
    assert user.isdigit(), "a name could be root in another image"
    assert int(user) > 0
    assert group.isdigit()
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["init"] is True
    assert one["pids_limit"] > 0
    assert one["mem_limit"]
    for forbidden in ("privileged", "cap_add", "network_mode", "pid", "ipc", "devices"):
        assert forbidden not in one


@each(sorted(SERVICES))
def test_an_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert PINNED.match(image), image
    assert "." not in image.split("/")[0].split(":")[0], "no registry is named"


def test_kafka_is_the_release_that_is_tested() -> None:
    tested = re.search(
        r"<kafka\.version>(.+?)</", (ROOT / "scripts/kafka/pom.xml").read_text(encoding="utf-8")
    )
    images = {one["image"] for one in SERVICES.values() if "apache/kafka" in one["image"]}
    assert tested is not None
    assert images == {f"apache/kafka:{tested[1]}"}


@each(SERVED)
def test_a_service_that_stays_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD", "no shell in between"
    assert {"interval", "timeout", "retries"} <= check.keys()


def test_what_ends_is_waited_for_to_end_well() -> None:
    ending = set(SERVICES) - set(SERVED)
    waited = {
        other
        for one in SERVICES.values()
        for other, how in one.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    healthy = {
        other
        for one in SERVICES.values()
        for other, how in one.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert ending - {"setup-tls"} <= waited
    assert waited <= ending
    assert healthy <= set(SERVED)


@each(sorted(name for name, one in SERVICES.items() if "ports" in one))
def test_ports_are_on_loopback_only(name: str) -> None:
    for port in SERVICES[name]["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_no_port_of_this_machine_is_used_twice() -> None:
    ports = [port.split(":")[1] for one in SERVICES.values() for port in one.get("ports", ())]
    assert len(ports) == len(set(ports))


@each(sorted(name for name, one in SERVICES.items() if "volumes" in one))
def test_what_is_mounted_exists_and_only_data_can_be_written(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert rest.endswith(":ro"), volume
        else:
            assert source in DOCUMENT["volumes"], source


@each(sorted(SERVICES))
def test_no_secret_stands_in_the_file(name: str) -> None:
    one = SERVICES[name]
    for key, value in one.get("environment", {}).items():
        if "PASSWORD" in key:
            assert str(value).startswith("/run/secrets/"), key
            assert str(value).removeprefix("/run/secrets/") in one["secrets"], value
        assert not re.search(r"://[^/]*:[^/]*@", str(value)), "no password in a URL"
    assert set(one.get("secrets", ())) <= set(DOCUMENT["secrets"])


def test_secrets_are_files_that_are_made_and_never_committed(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    shutil.copytree(ROOT / "ops", tmp_path / "ops", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([tmp_path / "ops/make-secrets", "tls"], check=True, capture_output=True)

    for secret in DOCUMENT["secrets"].values():
        file = tmp_path / secret["file"]
        assert file.read_text().strip(), secret
        assert file.is_relative_to(tmp_path / "ops/secrets")
    assert (tmp_path / "ops/secrets").stat().st_mode & 0o077 == 0
    assert "ops/secrets/" in (ROOT / ".gitignore").read_text().split()
    first = (tmp_path / "ops/secrets/tls/broker.pem").read_bytes()
    subprocess.run([tmp_path / "ops/make-secrets", "tls"], check=True, capture_output=True)
    assert (tmp_path / "ops/secrets/tls/broker.pem").read_bytes() == first, "what is there stays"


# Our own services


def commands_of(one: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the command lines of registro that a service runs."""
    command = [expanded(word) for word in one["command"]]
    if command[0] != "setup":
        yield command
    check = one.get("healthcheck", {}).get("test", ())
    if "registro-entrypoint" in check:
        yield [*check[2:]]


@each(OURS)
def test_a_command_exists_with_its_options(name: str) -> None:
    root: Any = build(asked="*", lang="en")
    for words in commands_of(SERVICES[name]):
        assert entry_of(words[0]) is not None, words
        command = root.commands[words[0]]
        known = {option for one in command.params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= known, words


@each(OURS)
def test_a_variable_of_ours_is_a_setting(name: str) -> None:
    known = {spec.variable for spec in SPECS}
    for variable in SERVICES[name]["environment"]:
        if variable.startswith("REGISTRO_"):
            assert variable in known, variable


@each(OURS)
def test_a_service_logs_into_the_database_as_itself(name: str) -> None:
    one = SERVICES[name]
    role = "" if name.startswith("setup") else f"{name.removesuffix('-tls')}"
    given = one["environment"]
    assert given["PGUSER"] == (f"registro_{role}" if role else "registro")
    secret = f"postgres_{role}_password" if role else "postgres_password"
    assert given["PGPASSWORD_FILE"] == f"/run/secrets/{secret}"
    assert [each for each in one["secrets"] if each.startswith("postgres")] == [secret]
    assert "@" not in given["REGISTRO_LEDGER"] + given["REGISTRO_VIEWS"]
    text = (ROOT / "ops/postgres/apply-roles").read_text()
    assert not role or rf"\password registro_{role}'" in text


def test_only_what_sets_up_is_the_owner_of_the_ledger() -> None:
    owners = {
        name for name, one in SERVICES.items() if "postgres_password" in one.get("secrets", ())
    }
    assert owners == {"postgres", "setup", "setup-tls", "roles"}


def test_roles_reads_exactly_the_passwords_that_it_is_given() -> None:
    text = (ROOT / "ops/postgres/roles.sql").read_text()
    text += (ROOT / "ops/postgres/apply-roles").read_text()
    read = set(re.findall(r"\$SECRETS/(\w+)", text))
    assert read == set(SERVICES["roles"]["secrets"])


@pytest.mark.parametrize("name", ["publisher", "intake", "projector"])
def test_behind_encryption_a_service_is_a_user_of_its_own(name: str) -> None:
    given = SERVICES[f"{name}-tls"]["environment"]
    assert given["REGISTRO_KAFKA_USER"] == name
    assert given["REGISTRO_KAFKA_PASSWORD_FILE"] == f"/run/secrets/{name}_password"
    assert given["REGISTRO_KAFKA_SECURITY"] == "SASL_SSL"
    assert given["REGISTRO_KAFKA"] != SERVICES[name]["environment"]["REGISTRO_KAFKA"]
    assert f"User:{name} " in (ROOT / "ops/tls/acls.txt").read_text()


def test_feeding_systems_may_write_each_inbox_and_nothing_else() -> None:
    lines = (ROOT / "ops/tls/acls.txt").read_text().splitlines()
    given = [line.split()[1:] for line in lines if line.startswith("User:upstream ")]
    assert given == [["Write", "topic", "literal", Topics().inbox(one)] for one in FACTS]


@each(OURS)
def test_whoever_records_waits_for_kafka(name: str) -> None:
    assert SERVICES[name]["environment"]["REGISTRO_PUBLISH"] == "required"


@each(OURS)
def test_our_services_run_the_image_of_this_release(name: str) -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert SERVICES[name]["image"] == f"registro:{version[1]}"


# The image


def test_the_image_copies_what_is_there_and_runs_as_nobody() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = [
        word
        for line in text.splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for word in line.split()[1:-1]
        if not word.startswith("--")
    ]
    assert copied
    for word in copied:
        assert (ROOT / word).exists(), word
    bases = {line.split()[1] for line in text.splitlines() if line.startswith("FROM ")}
    assert all(PINNED.match(base) for base in bases)
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in sent
    for word in copied:
        assert any(f"!{part}" in sent for part in (word, *map(str, Path(word).parents))), word


def test_the_image_names_packages_that_are_made_into_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    packages = re.search(r"^packages = \[(.+)\]", text, re.MULTILINE)
    assert packages is not None
    for package in re.findall(r'"([a-z]+)"', packages[1]):
        assert f"COPY {package} {package}" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize(
    "script",
    [
        "ops/make-secrets",
        "ops/image/entrypoint",
        "ops/image/setup",
        "ops/postgres/apply-roles",
        "ops/kafka/start-broker",
        "ops/tls/make-secrets",
        "ops/tls/start-broker",
        "ops/tls/apply-acls",
    ],
)
def test_a_script_can_be_run_by_a_plain_shell(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", path], check=True)


def test_the_entrypoint_hands_the_password_of_a_file_to_the_program_alone(tmp_path: Path) -> None:
    (tmp_path / "registro").write_text('#!/bin/sh\necho "$PGPASSWORD $*"\n')
    (tmp_path / "registro").chmod(0o755)
    (tmp_path / "secret").write_text("word\n")
    ran = subprocess.run(
        [ROOT / "ops/image/entrypoint", "status", "--json"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PGPASSWORD_FILE": str(tmp_path / "secret")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "word status --json\n"


@pytest.mark.parametrize(("init", "expected"), [(0, 0), (22, 0), (19, 19)])
def test_setup_may_be_repeated_and_tells_what_fails(
    tmp_path: Path, init: int, expected: int
) -> None:
    log = tmp_path / "log"
    (tmp_path / "registro").write_text(
        f'#!/bin/sh\necho "$*" >>{log}\ncase $1 in init) exit {init} ;; esac\n'
    )
    (tmp_path / "registro").chmod(0o755)
    ran = subprocess.run(
        [ROOT / "ops/image/setup", "INPS", "production"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )
    assert ran.returncode == expected
    root: Any = build(asked="*", lang="en")
    for line in log.read_text().splitlines():
        words = line.split()
        command = root.commands[words[0]]
        command = getattr(command, "commands", {}).get(words[1], command)
        known = {option for one in command.params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


# Metrics


def names_in(text: str) -> set[str]:
    return set(METRIC.findall(text))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the metrics that a ledger prints."""
    ledger = str(tmp_path_factory.mktemp("metrics") / "registro.db")
    assert run("--ledger", ledger, "init", "--body", "INPS").code == 0
    ran = run("--ledger", ledger, "metrics", "--once")
    assert ran.code == 0, ran.err
    return {line.split()[2] for line in ran.out.splitlines() if line.startswith("# TYPE")}


def test_the_metrics_are_those_that_are_documented(printed: set[str]) -> None:
    assert printed == set(FAMILIES)
    page = (ROOT / "docs" / "operating.md").read_text()
    assert printed <= names_in(page)


def test_rules_use_metrics_that_exist(printed: set[str]) -> None:
    rules = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert names_in(rule["expr"]) <= printed, rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "what_to_do"} == rule["annotations"].keys()


def test_rules_name_kinds_of_problems_that_exist() -> None:
    from app.operations.snapshot import PROBLEM_KINDS  # noqa: PLC0415 - only here

    text = (PROMETHEUS / "rules.yml").read_text()
    named = {
        kind
        for found in re.findall(r'registro_problems\{kind=~?"([a-z_|]+)"', text)
        for kind in found.split("|")
    }
    assert named
    assert named <= set(PROBLEM_KINDS)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_uses_metrics_that_exist(file: Path, printed: set[str]) -> None:
    board = json.loads(file.read_text())
    expressions = [
        target["expr"] for panel in board["panels"] for target in panel.get("targets", ())
    ]
    assert expressions
    assert set().union(*map(names_in, expressions)) <= printed
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_every_number_is_shown_or_watched(printed: set[str]) -> None:
    used = names_in((PROMETHEUS / "rules.yml").read_text())
    for file in DASHBOARDS:
        used |= names_in(file.read_text())
    # For queries by hand, and as parts of others that are shown.
    apart = {
        "registro_info",
        "registro_lag_records",
        "registro_last_append_timestamp_seconds",
        "registro_read_model_fallback_blocks",
    }
    assert printed - used == apart


@pytest.mark.parametrize(
    "words", [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")]
)
def test_prometheus_accepts_settings_and_rules(words: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    ran = subprocess.run(
        ["promtool", *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_prometheus_asks_is_what_the_containers_answer() -> None:
    settings = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    (target,) = settings["scrape_configs"][0]["static_configs"][0]["targets"]
    service, port = target.split(":")
    assert SERVICES[service]["command"][-1].endswith(f":{port}")
    source = yaml.safe_load(
        (ROOT / "ops/grafana/provisioning/datasources/prometheus.yml").read_text()
    )["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    mounted = " ".join(SERVICES["grafana"]["volumes"])
    provider = yaml.safe_load(
        (ROOT / "ops/grafana/provisioning/dashboards/registro.yml").read_text()
    )["providers"][0]
    assert f":{provider['options']['path']}:ro" in mounted
