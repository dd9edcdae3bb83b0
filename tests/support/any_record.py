"""Hypothesis strategies of records: anything within the bounds of docs/formats/record.md."""

from hypothesis import strategies as st

from ledger.integrity.commitment import RecordFields

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
digests = st.one_of(st.just(b""), st.binary(min_size=32, max_size=32))
numbers = st.integers(0, 2**63 - 1)


@st.composite
def records(draw: st.DrawFn) -> RecordFields:
    """Any record within the bounds; bodies may be empty."""
    kind = draw(st.sampled_from([1, 2]))
    bodies = draw(st.lists(st.binary(max_size=6), min_size=1, max_size=1 if kind == 1 else 4))
    part_count = draw(st.integers(1, 2**32 - 1))
    return RecordFields(
        kind=kind,
        stream=draw(texts),
        stream_version=draw(numbers),
        event_type=draw(texts),
        schema_id=draw(digests),
        append_key=draw(texts),
        part=draw(st.integers(0, part_count - 1)),
        part_count=part_count,
        input_digest=draw(digests),
        recorded_at=draw(numbers),
        envelope_schema_id=draw(digests),
        envelope=draw(st.binary(max_size=20)),
        lengths=tuple(map(len, bodies)),
        content=b"".join(bodies),
        salt=draw(st.binary(min_size=32, max_size=32)),
    )
