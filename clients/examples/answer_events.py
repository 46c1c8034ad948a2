"""Server-sent events without a client of ours: an answer as it is written. `python answer_events.py QUESTION [URL]` (pip install httpx)"""

import json
import os
import sys

import httpx

question, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8000"
headers = {"X-Deadline-Ms": "20000"} | ({"Authorization": f"Bearer {key}"} if (key := os.environ.get("LIVECART_API_KEY")) else {})
asked = {"question": question, "stream": True}

with httpx.stream("POST", f"{url}/v1/answer", json=asked, headers=headers, timeout=30) as response:
    if response.status_code != 200:
        sys.exit(response.read().decode())
    event = ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event == "token":
            print(json.loads(value)["text"], end="", flush=True)
        elif name == "data":  # `done` with the whole answer, or `error`
            whole = json.loads(value)
            print("\n", event, whole.get("source"), [cited["source_id"] for cited in whole.get("citations", [])])
