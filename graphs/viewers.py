"""Who is a viewer: somebody of whom something other than a room's displays was sent."""

from graphs.errors import NotFound
from graphs.ports import Viewers
from models.types import Event, ViewerId


async def known_history(viewers: Viewers, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
    """The viewer's latest events. Raises NotFound for a viewer of whom nothing is held; a room's host is none."""
    history = await viewers.history(viewer_id, limit=limit)
    if not history:
        raise NotFound(
            f"no viewer `{viewer_id}`: nothing was ever sent about them; POST /v1/events first, an `enter` is enough", param="viewer_id"
        )
    return history
