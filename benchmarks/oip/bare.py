"""The peer: a FastAPI endpoint that ranks binary tensors with the same model, and does nothing else.

`uvicorn benchmarks.oip.bare:app --factory --workers 2 --port PORT`.
"""

import json

import numpy as np
import torch
from fastapi import FastAPI, Request, Response

from deployments.loading import load_ranker
from deployments.settings import RankerConfig

HEADER = "inference-header-content-length"


def app() -> FastAPI:
    torch.set_num_threads(1)  # as a replica
    ranker = load_ranker(RankerConfig())
    served = FastAPI()

    @served.post("/infer")
    async def infer(request: Request) -> Response:
        body = await request.body()
        length = int(request.headers[HEADER])
        stated = json.loads(body[:length])
        rows = np.frombuffer(body, dtype=np.float32, offset=length).reshape(stated["inputs"][0]["shape"])
        scores = ranker.score(rows)
        head = json.dumps(
            {
                "model_name": "ranker",
                "outputs": [
                    {
                        "name": "scores",
                        "datatype": "FP32",
                        "shape": list(scores.shape),
                        "parameters": {"binary_data_size": scores.nbytes},
                    }
                ],
            }
        ).encode()
        return Response(head + scores.tobytes(), headers={HEADER: str(len(head))}, media_type="application/octet-stream")

    return served
