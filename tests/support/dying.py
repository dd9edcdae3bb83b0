"""What a worker process does that is killed: importable, since processes take functions by name."""

import os
import signal


def killed(_: object) -> None:
    """Die as a process that the system takes its memory back from."""
    os.kill(os.getpid(), signal.SIGKILL)
