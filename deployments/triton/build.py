"""The ports that `args.placement` leaves to an external server."""

import asyncio
import os

from deployments.loading import load_ranker
from deployments.settings import RankerConfig, Settings, TritonModelConfig
from deployments.triton.contracts import DETECTOR, RANKER, ModelContract, embedder_contract
from deployments.triton.detector import TritonDetector
from deployments.triton.model import KEY_VARIABLE, TritonModel, begin
from deployments.triton.ranker import TritonRanker
from graphs.errors import GraphError
from models.vision.embedder_info import embedder_info


async def triton_detector(settings: Settings) -> TritonDetector:
    """Raises Unfit when a model there is not what is needed; one that is away is no reason not to start."""
    triton = settings.triton
    if triton.detector is None or triton.embedder is None:
        raise GraphError("args.triton.detector and args.triton.embedder are needed for placement.detector: triton")
    info = embedder_info(settings.embedder)
    find, tell = _model(triton.detector, DETECTOR), _model(triton.embedder, embedder_contract(info.dim))
    detector = TritonDetector(find, tell, info, settings.detector, triton.detector.categories)
    await begin(detector)
    return detector


async def triton_ranker(settings: Settings, recommender: str) -> TritonRanker:
    """As `triton_detector`; `recommender` is the folder whose features the model there was trained on."""
    if settings.triton.ranker is None:
        raise GraphError("args.triton.ranker is needed for placement.ranker: triton")
    local = await asyncio.to_thread(load_ranker, RankerConfig(recommender=recommender))
    ranker = TritonRanker(_model(settings.triton.ranker, RANKER), local)
    await begin(ranker)
    return ranker


def _model(config: TritonModelConfig, contract: ModelContract) -> TritonModel:
    return TritonModel(config, contract, os.environ.get(KEY_VARIABLE))
