"""Say clearly that Python is too old, before pip says it unclearly; runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Registro needs Python 3.11 or newer; this is %d.%d. "
        "Name a newer one: make PYTHON=python3.12 demo" % sys.version_info[:2]
    )
