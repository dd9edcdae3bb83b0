"""Layout of tables: nothing is dropped or cut, at any width."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.output.layout import GAP, NARROW_GAP, TEXT_LEAST, folded, layout
from app.output.table import Column

COLUMNS = (
    Column("codice", whole=True),
    Column("valore", "right"),
    Column("unità"),
    Column("indicatore"),
)
ROW = ("IEEP.A.1.1", "1.062.217.649", "€", "Accertamento contributi in fase di gestione flussi")


def test_columns_have_their_natural_widths_where_there_is_room() -> None:
    found = layout(COLUMNS, [ROW], room=200)

    assert found is not None
    assert list(found.widths) == [
        len("IEEP.A.1.1"),
        len("1.062.217.649"),
        len("unità"),
        len(ROW[3]),
    ]
    assert found.hanging == 0


@pytest.mark.parametrize("room", [80, 60, 50])
def test_codes_and_numbers_keep_their_widths_while_a_text_folds(room: int) -> None:
    found = layout(COLUMNS, [ROW], room=room)

    assert found is not None
    assert found.widths[0] == len(ROW[0])
    assert found.widths[1] == len(ROW[1])
    assert sum(found.widths) + GAP * (len(found.widths) - 1) <= room


def test_a_text_hangs_below_its_row_when_there_is_no_room_beside() -> None:
    room = len(ROW[0]) + len(ROW[1]) + len("unità") + 2 * GAP

    found = layout(COLUMNS, [ROW], room=room)

    assert found is not None
    assert (found.hanging, found.gap) == (1, GAP)
    assert len(found.widths) == len(COLUMNS) - 1


def test_a_narrower_gap_is_tried_before_blocks() -> None:
    room = len(ROW[0]) + len(ROW[1]) + len("unità") + 2 * NARROW_GAP

    found = layout(COLUMNS, [ROW], room=room)

    assert found is not None
    assert found.gap == NARROW_GAP


def test_there_is_no_layout_where_the_codes_alone_are_too_wide() -> None:
    assert layout(COLUMNS, [ROW], room=20) is None


def test_a_last_column_of_codes_never_hangs() -> None:
    columns = (*COLUMNS[:3], Column("dove", whole=True))

    assert layout(columns, [(*ROW[:3], "x" * 60)], room=60) is None


def test_a_table_without_rows_has_the_widths_of_its_titles() -> None:
    found = layout(COLUMNS, [], room=80)

    assert found is not None
    assert list(found.widths) == [len(column.title) for column in COLUMNS]


def test_an_empty_text_is_one_empty_line() -> None:
    assert folded("", 10) == [""]


def test_a_text_folds_between_words_and_not_at_hyphens() -> None:
    assert folded("pre-consuntivo pubblicato", 16) == ["pre-consuntivo", "pubblicato"]


CELLS = st.text(alphabet="abc .-123", max_size=40)


@pytest.mark.property
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=4),
    room=st.integers(min_value=1, max_value=120),
)
@settings(max_examples=150)
def test_a_layout_never_exceeds_the_room_nor_narrows_a_code(
    rows: list[tuple[str, str, str, str]], room: int
) -> None:
    found = layout(COLUMNS, rows, room=room)
    if found is None:
        return

    shown = len(COLUMNS) - found.hanging
    assert sum(found.widths) + found.gap * (shown - 1) <= room
    for place in range(shown):
        longest = max((len(row[place]) for row in rows), default=0)
        if COLUMNS[place].unbroken:
            assert found.widths[place] >= longest
        else:
            assert found.widths[place] >= min(longest, TEXT_LEAST)
