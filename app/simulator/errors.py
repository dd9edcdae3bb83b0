"""What the simulator refuses, and why.

Source: ledger.errors for the form of an error.
"""

from ledger.errors import LedgerError


class SimulationError(LedgerError):
    """The simulator cannot make the year asked for."""

    code = "simulation"
    exit_code = 60
    template = "the year cannot be simulated"


class TooFewEventsError(SimulationError):
    """The number of facts asked for cannot carry the figures to hit."""

    code = "simulation_events"
    exit_code = 61
    template = "{events} events are too few: {reason}"
    hint = "ask for more events"

    def __init__(self, *, events: int, reason: str) -> None:
        self.events = events
        self.reason = reason
        super().__init__(events=events, reason=reason)


class TargetsError(SimulationError):
    """The figures to hit contradict each other or are out of bounds."""

    code = "simulation_targets"
    exit_code = 62
    template = "figure to hit {subject}: {reason}"
    hint = "correct the figures that the simulation starts from"

    def __init__(self, *, subject: str, reason: str) -> None:
        self.subject = subject
        self.reason = reason
        super().__init__(subject=subject, reason=reason)


class WorldError(SimulationError):
    """No organisation can be made of the units asked for."""

    code = "simulation_world"
    exit_code = 63
    template = "organisation of {units} units: {reason}"
    hint = "ask for more units, or correct the kinds of unit"

    def __init__(self, *, units: int, reason: str) -> None:
        self.units = units
        self.reason = reason
        super().__init__(units=units, reason=reason)
