"""Where PyAV lives: in a folder of its own beside the virtual environment's packages, so that no process of the server can import it.

PyAV itself is BSD and its FFmpeg LGPL, but FFmpeg is linked against libx264 and libx265 in the wheel, and these are GPL. vLLM imports `av`
wherever it finds it, so the ordinary place would bring them into the server.
"""

import sys
from pathlib import Path
from types import ModuleType

from deployments.video.errors import VideoLibraryError

FOLDER = Path(sys.prefix) / "video"  # as requirements/install.sh has it


def load_av() -> ModuleType:
    """The module `av`, quiet. Raises VideoLibraryError, saying what to install."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    try:
        import av  # noqa: PLC0415  # only when a video is asked for
    except ImportError as error:
        raise VideoLibraryError(
            f"Videos need PyAV, which is not installed ({error}). `make setup` installs it; or: "
            f"pip install --no-deps --target {FOLDER} -r requirements/video.txt"
        ) from error
    av.logging.set_level(av.logging.PANIC)  # what matters comes as an exception
    module: ModuleType = av
    return module
