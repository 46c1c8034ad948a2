"""Why a start is refused or fails.

LaunchError
├── ConfigRefusedError     the file cannot be served as it stands
├── AlreadyRunningError    another livecart of this home runs
├── PortTakenError         somebody else answers on the port
├── NotRunningError        there is nothing to talk to
└── StartFailedError       Ray or a deployment did not come up
"""


class LaunchError(Exception):
    """Its text says what was asked, what was found and what to do."""


class ConfigRefusedError(LaunchError):
    """The configuration file is missing, malformed or unsafe."""


class AlreadyRunningError(LaunchError):
    """One home holds one running platform: two would write the same store."""


class PortTakenError(LaunchError):
    """Ray would start a front end that never receives a request."""


class NotRunningError(LaunchError):
    """No livecart of this home runs."""


class StartFailedError(LaunchError):
    """Carries the real cause, as the failing process logged it."""
