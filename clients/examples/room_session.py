"""A room's camera and comments over one WebSocket. `python room_session.py ROOM VIEWER FRAME [URL]` (pip install websockets)"""

import asyncio
import json
import os
import sys
from pathlib import Path

from websockets.asyncio.client import connect

room, viewer, picture = sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_bytes()
url = (sys.argv[4] if len(sys.argv) > 4 else "http://localhost:8000").replace("http", "ws", 1)
headers = {"Authorization": f"Bearer {key}"} if (key := os.environ.get("LIVECART_API_KEY")) else {}


async def main() -> None:
    async with connect(f"{url}/v1/rooms/{room}/session", additional_headers=headers) as session:
        for _ in range(3):  # one or two frames a second are enough; what is shown is told once it is sure
            await session.send(picture)
            await asyncio.sleep(0.5)
        await session.send(json.dumps({"type": "comment", "comment_id": os.urandom(8).hex(), "viewer_id": viewer, "text": "How much?"}))
        async for message in session:
            said = json.loads(message)
            print(said["type"], said.get("text") or said.get("answer") or said.get("products") or said.get("error") or "")
            if said["type"] in ("reply", "error"):
                break


asyncio.run(main())
