"""What holds for every test."""

import os

from hypothesis import settings

# A gate says the same of the same code; who hunts for new cases asks for it.
settings.register_profile("gate", derandomize=True)
settings.register_profile("hunt", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("REGISTRO_HYPOTHESIS", "gate"))
