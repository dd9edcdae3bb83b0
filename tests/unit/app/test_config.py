"""Settings: option, then environment, then file, then default, each with its origin."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.config import SPECS, Kind, Settings, defaults, resolve
from ledger.errors import ConfigurationError
from ledger.facts.families import FAMILIES
from ledger.kafka.topics import Topics, dead_letters_of

KAFKA_NAME_MAX = 249


def resolved(
    folder: Path,
    *,
    options: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Resolve with a home folder that is empty unless a test fills it."""
    home = {"HOME": str(folder / "home")}
    return resolve(options or {}, environment={**home, **(environment or {})}, folder=folder)


def origin(settings: Settings, name: str) -> tuple[str, Kind, str]:
    found = next(one for one in settings.found if one.spec.name == name)
    return found.value, found.kind, found.origin


def test_without_anything_every_setting_has_its_default(tmp_path: Path) -> None:
    assert resolved(tmp_path) == defaults()
    assert [one.spec for one in defaults().found] == list(SPECS)
    assert defaults()["ledger"] == "./registro.db"
    assert defaults().lang == "it"


def test_each_source_wins_over_those_after_it(tmp_path: Path) -> None:
    file = tmp_path / "registro.toml"
    file.write_text('lang = "en"\n', encoding="utf-8")
    assert origin(resolved(tmp_path), "lang") == ("en", "file", str(file))

    variable = {"REGISTRO_LANG": "it"}
    found = resolved(tmp_path, environment=variable)
    assert origin(found, "lang") == ("it", "environment", "REGISTRO_LANG")

    found = resolved(tmp_path, environment=variable, options={"lang": "en"})
    assert origin(found, "lang") == ("en", "option", "--lang")
    assert found.lang == "en"


def test_sources_are_mixed_setting_by_setting(tmp_path: Path) -> None:
    (tmp_path / "registro.toml").write_text('ledger = "file.db"\ncolor = "never"\n')

    found = resolved(
        tmp_path, environment={"REGISTRO_ACTOR": "OIV"}, options={"log_level": "debug"}
    )

    kinds = {one.spec.name: one.kind for one in found.found}
    assert kinds == {
        "ledger": "file",
        "views": "default",
        "lang": "default",
        "actor": "environment",
        "person": "default",
        "subject_keys": "default",
        "log": "default",
        "key_folder": "default",
        "max_seal_delay": "default",
        "kafka": "default",
        "kafka_prefix": "default",
        "kafka_security": "default",
        "kafka_mechanism": "default",
        "kafka_user": "default",
        "kafka_password_file": "default",
        "kafka_ca": "default",
        "publish": "default",
        "color": "file",
        "log_level": "option",
        "log_format": "default",
    }


# Files


@pytest.mark.parametrize("by_xdg", [True, False])
def test_the_file_in_the_users_folder_is_read_when_there_is_no_nearer_one(
    tmp_path: Path, *, by_xdg: bool
) -> None:
    base = tmp_path / "xdg" if by_xdg else tmp_path / "home" / ".config"
    (base / "registro").mkdir(parents=True)
    (base / "registro" / "registro.toml").write_text('lang = "en"\n')
    environment = {"XDG_CONFIG_HOME": str(base)} if by_xdg else {}

    assert resolved(tmp_path, environment=environment).lang == "en"

    (tmp_path / "registro.toml").write_text('lang = "it"\n')
    assert resolved(tmp_path, environment=environment).lang == "it"


@pytest.mark.parametrize("relative", [True, False])
def test_the_file_that_is_named_wins_over_the_others(tmp_path: Path, *, relative: bool) -> None:
    (tmp_path / "registro.toml").write_text('lang = "it"\n')
    (tmp_path / "mine.toml").write_text('lang = "en"\n')
    named = "mine.toml" if relative else str(tmp_path / "mine.toml")

    found = resolved(tmp_path, environment={"REGISTRO_CONFIG": named})

    assert found.lang == "en"
    assert found.unknown_variables == ()


@pytest.mark.parametrize("named", ["none.toml", "", "."])
def test_refuses_a_named_file_that_is_not_there(tmp_path: Path, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolved(tmp_path, environment={"REGISTRO_CONFIG": named})

    assert caught.value.facts["setting"] == "REGISTRO_CONFIG"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"lang = ", "value"),
        (b"lang en", "Expected"),
        (b'lang = "it"\nlang = "en"', "overwrite"),
        (b"\xff\xfe", "utf-8"),
        (b'lnag = "it"', "did you mean lang?"),
        (b'zzz = "it"', "known: ledger, views, lang"),
        (b"lang = 1", "text in quotes"),
        (b"color = true", "text in quotes"),
        (b'[lang]\nit = "x"', "text in quotes"),
    ],
)
def test_refuses_a_file_that_is_wrong(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "registro.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        resolved(tmp_path)

    assert caught.value.facts["setting"] == str(file)
    assert reason in caught.value.facts["reason"]


def test_a_wrong_file_is_refused_even_where_an_option_wins(tmp_path: Path) -> None:
    (tmp_path / "registro.toml").write_text("lang = ")

    with pytest.raises(ConfigurationError):
        resolved(tmp_path, options={"lang": "it"})


# Values


@pytest.mark.parametrize("value", ["fr", "IT", "", " it"])
@pytest.mark.parametrize("source", ["option", "environment", "file"])
def test_refuses_a_value_outside_the_choices(tmp_path: Path, value: str, source: str) -> None:
    (tmp_path / "registro.toml").write_text(f'lang = "{value}"\n' if source == "file" else "")

    with pytest.raises(ConfigurationError) as caught:
        resolved(
            tmp_path,
            options={"lang": value} if source == "option" else {},
            environment={"REGISTRO_LANG": value} if source == "environment" else {},
        )

    assert caught.value.facts["setting"] == "lang"
    assert "it, en" in caught.value.facts["reason"]


@pytest.mark.parametrize("value", ["", "  "])
def test_refuses_an_empty_place_for_the_ledger(tmp_path: Path, value: str) -> None:
    # SQLite would take it for a database in memory and forget everything.
    with pytest.raises(ConfigurationError) as caught:
        resolved(tmp_path, environment={"REGISTRO_LEDGER": value})

    assert caught.value.facts["setting"] == "ledger"
    assert "REGISTRO_LEDGER" in caught.value.facts["reason"]


@pytest.mark.parametrize("value", [" ", "", "a b", "a/b", "è", "a\n", "registro:", "x" * 201])
@pytest.mark.parametrize("source", ["environment", "file"])
def test_refuses_a_prefix_that_no_topic_can_have(tmp_path: Path, value: str, source: str) -> None:
    in_file = f"kafka_prefix = {json.dumps(value)}\n" if source == "file" else ""
    (tmp_path / "registro.toml").write_text(in_file, encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        resolved(
            tmp_path,
            environment={"REGISTRO_KAFKA_PREFIX": value} if source == "environment" else {},
        )

    assert caught.value.facts["setting"] == "kafka_prefix"


@pytest.mark.parametrize("value", ["registro", "Ente_1.prova-2", "x" * 200])
def test_every_topic_of_an_allowed_prefix_fits_into_kafka(tmp_path: Path, value: str) -> None:
    found = resolved(tmp_path, environment={"REGISTRO_KAFKA_PREFIX": value})["kafka_prefix"]
    topics = Topics(prefix=found)

    longest = max(map(len, [*topics.all, *(dead_letters_of(topics.inbox(f)) for f in FAMILIES)]))
    assert found == value
    assert longest <= KAFKA_NAME_MAX


def test_a_setting_that_is_empty_by_default_may_be_empty(tmp_path: Path) -> None:
    assert resolved(tmp_path, environment={"REGISTRO_ACTOR": ""})["actor"] == ""


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_choice_of_every_setting_is_allowed(tmp_path: Path, spec: object) -> None:
    found = next(one for one in SPECS if one is spec)
    for value in found.choices or ("anything",):
        settings = resolved(tmp_path, environment={found.variable: value})
        assert settings[found.name] == value


def test_variables_that_are_no_settings_are_named_in_order(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        environment={
            "REGISTRO_ZZZ": "1",
            "REGISTRO_LEGDER": "x",
            "registro_lang": "en",
            "OTHER": "1",
            "REGISTRO_VECTORS": "x",
            "REGISTRO_TEST_KAFKA": "x",
            "REGISTRO_SERVICES_FOLDER": "x",
        },
    )

    assert found.unknown_variables == ("REGISTRO_LEGDER", "REGISTRO_ZZZ")
    assert found.lang == "it"
