"""The Open Inference Protocol by plain HTTP: which categories a frame shows. `python oip_http.py FRAME [URL]` (pip install httpx)"""

import json
import os
import sys
from pathlib import Path

import httpx

frame, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8000"
headers = {"Authorization": f"Bearer {key}"} if (key := os.environ.get("LIVECART_API_KEY")) else {}

with httpx.Client(base_url=f"{url}/v2/models/detector", headers=headers, timeout=30) as model:
    categories = json.loads(model.get("/config").raise_for_status().json()["parameters"]["categories"]["string_value"])
    picture = Path(frame).read_bytes()
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(picture) + 4}}
    wanted = [{"name": name} for name in ("count", "categories", "scores")]
    head = json.dumps({"inputs": [image], "outputs": wanted, "parameters": {"timeout": 10_000_000}}).encode()
    body = head + len(picture).to_bytes(4, "little") + picture  # the JSON, and behind it the tensor: each element after its length
    answer = model.post("/infer", content=body, headers={"Inference-Header-Content-Length": str(len(head))}).raise_for_status().json()
    count, found, scores = (output["data"] for output in answer["outputs"])
    for category, score in list(zip(found, scores, strict=True))[: count[0]]:
        print(categories[category], round(score, 2))
