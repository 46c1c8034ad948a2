"""For all tests: no wall-clock time decides, as other work on the machine would."""

from hypothesis import settings

settings.register_profile("livecart", deadline=None)
settings.load_profile("livecart")
