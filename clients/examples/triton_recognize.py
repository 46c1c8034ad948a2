"""The graph `recognize` by the stock Triton client. `python triton_recognize.py FRAME [URL]` (pip install "tritonclient[http]")"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput

frame, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8000"
headers = {"Authorization": f"Bearer {key}"} if (key := os.environ.get("LIVECART_API_KEY")) else {}

with InferenceServerClient(url.removeprefix("http://")) as client:
    pictures = np.array([Path(frame).read_bytes()], dtype=np.object_)
    image = InferInput("image", [1], "BYTES").set_data_from_numpy(pictures)
    answer = client.infer("recognize", [image], headers=headers, timeout=10_000_000, parameters={"top_k": 1})  # microseconds
for product in json.loads(answer.as_numpy("products")[0])["products"]:
    print(product["category"], round(product["score"], 2), [match["title"] for match in product["matches"]])
