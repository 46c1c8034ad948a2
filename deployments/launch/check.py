"""Opens what an edit names before the platform is told of it: a checkpoint that cannot be loaded is refused while the old one serves."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from deployments.launch.errors import ConfigRefusedError
from deployments.launch.plan import Change, Document, user_config
from deployments.loading import check_detector
from deployments.settings import DetectorConfig
from models.types import ArtifactError

CONFIG = "Detector.user_config"


def require_loadable(changes: Sequence[Change], edited: Document) -> None:
    """Raises ConfigRefusedError when the edit gives the detector settings that it cannot start with.

    Only the detector is tried: it loads in seconds, and its checkpoint is what is edited most. What else cannot start is told by Serve.
    """
    if not any(change.where.startswith(CONFIG) for change in changes):
        return
    settings: Mapping[str, object] = user_config(edited, "Detector")
    try:
        check_detector(DetectorConfig.model_validate(settings))
    except (ArtifactError, ValidationError) as error:
        raise ConfigRefusedError(f"{CONFIG}: {error}\nNothing was deployed; what ran before goes on.") from error
