"""Errors of the live tail.

Source: docs/kafka.md, the live tail.
"""

from ledger.errors import LedgerError


class TailUnfinishedError(LedgerError):
    """The topics gave nothing more, and the read model is not where the ledger is."""

    code = "tail_unfinished"
    exit_code = 57
    retriable = True
    template = (
        "read model {projection} stands at {position} of {head}: in {seconds} s nothing more came "
        "from the topics"
    )
    hint = (
        "publish first: `registro publish`; while other members share the partitions, see that "
        "they run"
    )

    def __init__(self, *, projection: str, position: int, head: int, seconds: str) -> None:
        super().__init__(projection=projection, position=position, head=head, seconds=seconds)


class TailReleaseError(LedgerError):
    """Members of another release share the work: shares of two releases do not belong together."""

    code = "tail_release"
    exit_code = 58
    template = "read model {projection} is fed by members of release {others}, this is {own}"
    hint = (
        "start the newer release everywhere; to go back to an older one, stop all members and run "
        "`registro rebuild --projection {projection}` with it"
    )

    def __init__(self, *, projection: str, own: str, others: str) -> None:
        super().__init__(projection=projection, own=own, others=others)
