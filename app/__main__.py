"""Entry point of the command `registro` and of `python -m app`."""

import sys

from app.cli.main import main


def run() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(main())


if __name__ == "__main__":
    run()
