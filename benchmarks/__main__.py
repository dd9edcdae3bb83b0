"""Run the benchmarks: all of them, or those named."""

import sys

from benchmarks import appends, evidence, inbox, kafka, production, reading, startup, tail
from benchmarks.measure import machine

BENCHMARKS = {
    "appends": appends.run,
    "reading": reading.run,
    "production": production.run,
    "evidence": evidence.run,
    "kafka": kafka.run,
    "inbox": inbox.run,
    "tail": tail.run,
    "startup": startup.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    print(machine())
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
