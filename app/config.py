"""Settings: option, then environment, then file, then default, each with its origin.

The file is TOML: the one named by `REGISTRO_CONFIG`, else `registro.toml` in the present folder,
else `registro/registro.toml` in the user's configuration folder. An unknown key is refused; an
unknown variable `REGISTRO_...` gives a warning, because it may belong to another program.

Source: docs/adr/0006-dependencies.md for why no library of settings is used here.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote

from app.texts.text import Lang, Text
from ledger.errors import ConfigurationError

PREFIX: Final = "REGISTRO_"
FILE: Final = "registro.toml"
CONFIG_VARIABLE: Final = "REGISTRO_CONFIG"
KAFKA_LOGIN: Final = "REGISTRO_KAFKA_PASSWORD"
_OTHER_VARIABLES: Final = frozenset(
    {CONFIG_VARIABLE, KAFKA_LOGIN, "REGISTRO_VECTORS", "REGISTRO_SIGNING_KEY"}
)
"""Variables of this program that are not settings."""
_OTHER_PREFIXES: Final = ("REGISTRO_TEST_", "REGISTRO_SERVICES_")
"""How variables begin that `.services.env` holds for tests and for `scripts/services`."""

_TOPIC_WORD_MAX: Final = 200
"""Kafka allows 249 characters for a topic; what stands behind the prefix fits in the rest."""
_URL_PASSWORD: Final = re.compile(r"(://[^:/@]*:)(.*)(@)")
"""User, password and what follows in a database URL; a password may hold any sign, also `@`."""

Kind = Literal["option", "environment", "file", "default"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """One setting."""

    name: str
    default: str
    help: Text
    choices: tuple[str, ...] = ()
    """Allowed values; empty when any text will do."""
    form: re.Pattern[str] | None = None
    """What a value must be, as a whole; None when any text will do."""
    form_text: str = ""
    """The same in words, behind `is`: what a refused value is."""

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return PREFIX + self.name.upper()


SPECS: Final[tuple[Spec, ...]] = (
    Spec(
        name="ledger",
        default="./registro.db",
        help=Text(it="registro: file o URL SQLAlchemy", en="ledger: file or SQLAlchemy URL"),
    ),
    Spec(
        name="views",
        default="",
        help=Text(
            it="viste di lettura: file o URL; senza, accanto al registro",
            en="read models: file or URL; by default beside the ledger",
        ),
    ),
    Spec(
        name="lang",
        default="it",
        choices=("it", "en"),
        help=Text(it="lingua dei testi", en="language of the texts"),
    ),
    Spec(
        name="actor",
        default="",
        help=Text(
            it="chi registra, RUOLO@UNITA, se il comando non lo dice",
            en="who records, ROLE@UNIT, when the command does not say",
        ),
    ),
    Spec(
        name="person",
        default="",
        help=Text(
            it="persona che registra: cifrata prima di entrare nel registro",
            en="person who records: encrypted before it enters the ledger",
        ),
    ),
    Spec(
        name="subject_keys",
        default="",
        help=Text(
            it="file delle chiavi delle persone; senza, accanto al registro",
            en="file of the persons' keys; by default beside the ledger",
        ),
    ),
    Spec(
        name="log",
        default="",
        help=Text(
            it="cartella dei sigilli; senza, accanto al registro",
            en="folder of the sealed log; by default beside the ledger",
        ),
    ),
    Spec(
        name="key_folder",
        default="",
        help=Text(
            it="cartella delle chiavi di firma; senza, accanto al registro",
            en="folder of the signing keys; by default beside the ledger",
        ),
    ),
    Spec(
        name="max_seal_delay",
        default="",
        help=Text(
            it="quanto una registrazione può attendere il sigillo: 300 (secondi), 5m, 1h; senza, "
            "nessun limite",
            en="how long a record may wait for its seal: 300 (seconds), 5m, 1h; else no limit",
        ),
    ),
    Spec(
        name="kafka",
        default="",
        help=Text(
            it="server Kafka, host:porta con virgole; senza, non si pubblica nulla",
            en="Kafka servers, host:port with commas; without it nothing is published",
        ),
    ),
    Spec(
        name="kafka_prefix",
        default="registro",
        help=Text(
            it="prima parola dei topic; un prefisso per ogni registro",
            en="first word of the topics; one prefix for each ledger",
        ),
        form=re.compile(rf"[a-zA-Z0-9._-]{{1,{_TOPIC_WORD_MAX}}}"),
        form_text=f"no first word of topics: a-z, A-Z, 0-9, . _ and -, at most {_TOPIC_WORD_MAX}",
    ),
    Spec(
        name="kafka_security",
        default="PLAINTEXT",
        choices=("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        help=Text(
            it="protocollo verso Kafka, come lo chiama Kafka",
            en="protocol towards Kafka, by Kafka's name for it",
        ),
    ),
    Spec(
        name="kafka_mechanism",
        default="SCRAM-SHA-512",
        choices=("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"),
        help=Text(it="meccanismo SASL", en="SASL mechanism"),
    ),
    Spec(
        name="kafka_user",
        default="",
        help=Text(it="utente SASL", en="SASL user"),
    ),
    Spec(
        name="kafka_password_file",
        default="",
        help=Text(
            it="file con la sola password SASL; in alternativa REGISTRO_KAFKA_PASSWORD",
            en="file that holds the SASL password alone; or set REGISTRO_KAFKA_PASSWORD",
        ),
    ),
    Spec(
        name="kafka_ca",
        default="",
        help=Text(
            it="file PEM dell'autorità che firma i certificati di Kafka",
            en="PEM file of the authority that signs Kafka's certificates",
        ),
    ),
    Spec(
        name="publish",
        default="async",
        choices=("off", "async", "required"),
        help=Text(
            it="off: mai; async: con il comando publish; required: dopo ogni comando che registra",
            en="off: never; async: by the command publish; required: after each recording command",
        ),
    ),
    Spec(
        name="color",
        default="auto",
        choices=("auto", "never"),
        help=Text(it="colori sullo schermo", en="colours on the screen"),
    ),
    Spec(
        name="log_level",
        default="warning",
        choices=("debug", "info", "warning", "error"),
        help=Text(it="messaggi di servizio da mostrare", en="log messages to show"),
    ),
    Spec(
        name="log_format",
        default="text",
        choices=("text", "json"),
        help=Text(it="forma dei messaggi di servizio", en="form of the log messages"),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """The value of a setting and where it came from."""

    spec: Spec
    value: str
    kind: Kind
    origin: str
    """The option, the variable, or the file; empty for a default."""

    @property
    def shown(self) -> str:
        """The value for the screen: a URL without its password."""
        return _URL_PASSWORD.sub(r"\1***\3", self.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings of a run."""

    found: tuple[Setting, ...]
    unknown_variables: tuple[str, ...] = ()
    """Variables that begin like ours and are none of ours."""

    def __getitem__(self, name: str) -> str:
        """Return the value of a setting by its name."""
        return next(one.value for one in self.found if one.spec.name == name)

    @property
    def lang(self) -> Lang:
        """Language of the texts."""
        return "en" if self["lang"] == "en" else "it"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Passwords in the values: what must not be written anywhere."""
        found = (_URL_PASSWORD.search(one.value) for one in self.found)
        written = [match[2] for match in found if match is not None]
        return tuple(dict.fromkeys([*written, *map(unquote, written)]))

    @property
    def ledger_given(self) -> str | None:
        """The ledger, when an option of this run names it: then a remedy must name it too."""
        return self.given("ledger")

    def given(self, name: str) -> str | None:
        """Return the value of a setting when an option of this run gives it."""
        one = next(each for each in self.found if each.spec.name == name)
        return one.value if one.kind == "option" else None


def defaults() -> Settings:
    """Return the settings of a run that names none."""
    found = tuple(
        Setting(spec=spec, value=spec.default, kind="default", origin="") for spec in SPECS
    )
    return Settings(found=found)


def resolve(
    options: Mapping[str, str], *, environment: Mapping[str, str], folder: Path
) -> Settings:
    """Return every setting with its origin.

    Args:
        options: settings given on the command line, by name.
        environment: the environment variables.
        folder: the present folder.

    Raises:
        ConfigurationError: a file cannot be read, or a key or value is not allowed.
    """
    file, in_file = _read_file(environment, folder)
    found = []
    for spec in SPECS:
        if spec.name in options:
            setting = _setting(spec, options[spec.name], "option", f"--{spec.name}")
        elif spec.variable in environment:
            value = environment[spec.variable]
            setting = _setting(spec, value, "environment", spec.variable)
        elif spec.name in in_file:
            setting = _setting(spec, in_file[spec.name], "file", str(file))
        else:
            setting = Setting(spec=spec, value=spec.default, kind="default", origin="")
        found.append(setting)
    ours = {spec.variable for spec in SPECS} | _OTHER_VARIABLES
    unknown = sorted(
        name
        for name in environment
        if name.startswith(PREFIX) and name not in ours and not name.startswith(_OTHER_PREFIXES)
    )
    return Settings(found=tuple(found), unknown_variables=tuple(unknown))


def _setting(spec: Spec, value: str, kind: Kind, origin: str) -> Setting:
    if spec.choices and value not in spec.choices:
        raise ConfigurationError(
            setting=spec.name,
            reason=f"{value!r} ({origin}) is not one of: {', '.join(spec.choices)}",
        )
    if spec.default and not value.strip():
        raise ConfigurationError(setting=spec.name, reason=f"it is empty ({origin})")
    if spec.form is not None and spec.form.fullmatch(value) is None:
        raise ConfigurationError(
            setting=spec.name, reason=f"{value!r} ({origin}) is {spec.form_text}"
        )
    return Setting(spec=spec, value=value, kind=kind, origin=origin)


def _read_file(environment: Mapping[str, str], folder: Path) -> tuple[Path | None, dict[str, str]]:
    named = environment.get(CONFIG_VARIABLE)
    if named is not None:
        path = folder / named
        if not path.is_file():
            raise ConfigurationError(setting=CONFIG_VARIABLE, reason=f"there is no file {named}")
        return path, _parse(path)
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "/")) / ".config")
    for path in (folder / FILE, Path(home) / "registro" / FILE):
        try:
            there = path.is_file()
        except OSError as error:
            raise ConfigurationError(setting=str(path), reason=str(error)) from error
        if there:
            return path, _parse(path)
    return None, {}


def _parse(path: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(setting=str(path), reason=str(error)) from error
    known = [spec.name for spec in SPECS]
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            ask = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
            raise ConfigurationError(setting=str(path), reason=f"unknown key {key!r}{ask}")
        if not isinstance(value, str):
            raise ConfigurationError(setting=str(path), reason=f"{key} must be text in quotes")
    return {str(key): str(value) for key, value in content.items()}
