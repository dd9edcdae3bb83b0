"""Carry the records of a retired type over to the type that replaced it.

A compatible change is a new version of the same full name and needs nothing here: Avro's
resolution reads old bodies. A breaking change is a new full name, and a function that turns a
record of the old type into one of the new; stored bytes never change.

Invariants:
1. A type has at most one successor, and the chain of successors ends: checked on registration.
2. An upcaster is a pure function of the record: no clock, no store, no other event.

Source: rulings of the project, schema identity; docs/adr/0004-event-classes.md.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from schemas.errors import IncompatibleSchemaError

Upcast: TypeAlias = Callable[[Mapping[str, object]], dict[str, object]]
"""Turns a record of one type into a record of the next."""


class Upcasters:
    """The upcasters of a set of schemas, by the full name they start from."""

    def __init__(self) -> None:
        self._successors: dict[str, tuple[str, Upcast]] = {}

    def register(self, *, old: str, new: str) -> Callable[[Upcast], Upcast]:
        """Return a decorator that registers an upcaster.

        Args:
            old: full name of the retired type.
            new: full name of the type that replaced it.

        Raises:
            IncompatibleSchemaError: the type has a successor already, or the chain would come back
                to it.
        """

        def add(function: Upcast) -> Upcast:
            if old in self._successors:
                raise _refused(old, new, f"it is followed by {self._successors[old][0]} already")
            if old in self.chain(new):
                raise _refused(old, new, "the chain would come back to it")
            self._successors[old] = (new, function)
            return function

        return add

    def chain(self, full_name: str) -> tuple[str, ...]:
        """Return the full names from a type to its last successor, both included."""
        names = [full_name]
        while names[-1] in self._successors:
            names.append(self._successors[names[-1]][0])
        return tuple(names)

    def upcast(
        self, full_name: str, record: Mapping[str, object]
    ) -> tuple[str, Mapping[str, object]]:
        """Carry a record over to the last successor of its type.

        Returns:
            Full name and record; both as given when nothing replaced the type.
        """
        while full_name in self._successors:
            full_name, function = self._successors[full_name]
            record = function(record)
        return full_name, record


RELEASED: Final = Upcasters()
"""The upcasters of the released schemas; modules with upcasters add to it when imported."""

upcaster = RELEASED.register
"""Decorator that registers an upcaster of the released schemas."""


def _refused(old: str, new: str, reason: str) -> IncompatibleSchemaError:
    return IncompatibleSchemaError(
        full_name=old, path="successor", reason=f"cannot be {new}: {reason}"
    )
