"""Where the data folders that ship with the program are."""

from pathlib import Path
from typing import Final

WORKED_EXAMPLE: Final = "inps-2023"


def example_folder(name: str = WORKED_EXAMPLE) -> Path:
    """Return a shipped data folder: inside the installed package, or in the checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "examples" / name
    return packaged if packaged.is_dir() else here.parent / "examples" / name
