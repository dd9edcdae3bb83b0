"""Global options, taken out of any place on the command line."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.globals import FLAGS, VALUES, GlobalOptions, extract


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "replay", "--year", "2023"],
        ["replay", "--json", "--year", "2023"],
        ["replay", "--year", "2023", "--json"],
        ["--json", "replay", "--json", "--year", "2023"],
    ],
)
def test_a_flag_stands_anywhere(words: Sequence[str]) -> None:
    found = extract(words)

    assert found.flags == {"--json"}
    assert found.rest == ("replay", "--year", "2023")
    assert found.command == "replay"


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["--ledger", "a.db", "x"], {"ledger": "a.db"}),
        (["x", "--ledger=a.db"], {"ledger": "a.db"}),
        (["x", "--ledger=a=b.db"], {"ledger": "a=b.db"}),
        (["x", "--ledger="], {"ledger": ""}),
        (["x", "--ledger", ""], {"ledger": ""}),
        (["x", "--lang", "it", "--lang", "en"], {"lang": "en"}),
        (
            ["x", "--log-level", "debug", "--log-format=json"],
            {"log_level": "debug", "log_format": "json"},
        ),
        (["x", "--no-color"], {"color": "never"}),
    ],
)
def test_an_option_with_a_value_gives_a_setting(
    words: Sequence[str], settings: Mapping[str, str]
) -> None:
    found = extract(words)

    assert found.settings == settings
    assert found.rest == ("x",)
    assert found.lacking is None


@pytest.mark.parametrize("option", sorted(VALUES))
def test_an_option_at_the_end_lacks_its_value(option: str) -> None:
    found = extract(["replay", option])

    assert found.lacking == option
    assert found.settings == {}
    assert found.rest == ("replay",)


def test_what_follows_a_bare_double_dash_is_left_alone() -> None:
    found = extract(["--json", "replay", "--", "--quiet", "--ledger", "a.db", "--"])

    assert found.flags == {"--json"}
    assert found.settings == {}
    assert found.rest == ("replay", "--", "--quiet", "--ledger", "a.db", "--")


@pytest.mark.parametrize(
    "word", ["--jso", "--JSON", "-json", "--json=yes", "--ledgers", "--ledgers=a", "json", "-", ""]
)
def test_what_only_looks_like_a_global_option_stays(word: str) -> None:
    found = extract([word])

    assert found == GlobalOptions(rest=(word,))


@pytest.mark.parametrize(
    ("words", "command"),
    [([], None), (["--json"], None), (["--help"], None), (["-v", "audit", "x"], "audit")],
)
def test_the_command_is_the_first_word_that_is_no_option(
    words: Sequence[str], command: str | None
) -> None:
    assert extract(words).command == command


_OTHER = st.sampled_from(["replay", "--year", "2023", "-x", "", "a b", "--json=1"])
_TAKEN = st.sampled_from(
    [[flag] for flag in FLAGS]
    + [[f"{name}=v"] for name in VALUES]
    + [[name, "v"] for name in VALUES]
)


@pytest.mark.property
@given(pieces=st.lists(_OTHER.map(lambda word: [word]) | _TAKEN, max_size=12))
def test_the_other_words_keep_their_order_and_nothing_else_stays(
    pieces: Sequence[Sequence[str]],
) -> None:
    words = [word for piece in pieces for word in piece]
    expected = [piece[0] for piece in pieces if not _is_taken(piece)]

    found = extract(words)

    assert list(found.rest) == expected
    assert found.lacking is None
    assert extract(found.rest).rest == found.rest


def _is_taken(piece: Sequence[str]) -> bool:
    return piece[0] in FLAGS or piece[0].partition("=")[0] in VALUES
