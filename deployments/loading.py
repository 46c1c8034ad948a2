"""From a deployment's configuration to a loaded model. The heavy libraries come in with the functions, not with this module."""

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.eye import Eye
from deployments.settings import ComprehensionConfig, DetectorConfig, RankerConfig, RetrieverConfig, WriterConfig
from models.artifacts import open_artifact, read_manifest
from models.types import ArtifactError
from models.vision.embedder_info import embedder_info

if TYPE_CHECKING:  # importing any of these takes seconds: replicas that do not need one do not pay for it
    from models.language.comprehension import TextClassifier
    from models.language.rerank import Reranker
    from models.language.writer import Writer
    from models.recommend.behaviour import Behaviour
    from models.recommend.learned import LearnedSources
    from models.recommend.passages import PassageIndex
    from models.recommend.ranker import Ranker
    from models.recommend.retriever import ShopIndex
    from models.recommend.rooms import RoomRanker, Weights
    from models.vision.detector import ProductDetector


_log = logging.getLogger("livecart.loading")
INDEX = "index"  # folder below home
INDEX_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class LoadedComprehension:
    intent: "TextClassifier"
    sentiment: "TextClassifier"


@dataclass(frozen=True, slots=True)
class LoadedRetriever:
    index: "ShopIndex"
    behaviour: "Behaviour"
    rooms: "RoomRanker"
    embedder_tag: str
    learned: "LearnedSources"


def load_comprehension(config: ComprehensionConfig) -> LoadedComprehension:
    from models.language.comprehension import TextClassifier

    return LoadedComprehension(TextClassifier.load(config.intent), TextClassifier.load(config.sentiment))


def load_detector(config: DetectorConfig, embedder: str) -> "ProductDetector":
    """The detector, warmed up."""
    from models.vision.detector import ProductDetector
    from models.vision.runtime import Compute

    model = ProductDetector.load(
        config.detector,
        embedder,
        max_pixels=int(config.max_megapixels * 1_000_000),
        min_score=config.min_score,
        max_detections=config.max_detections,
        threads=config.threads,
        compute=Compute(config.device, config.precision, config.runtime, config.compile),
    )
    model.warm_up()
    _log.info("%s runs on %s, %s on %s, in %s", config.detector, model.runtimes[0], embedder, model.runtimes[1], config.precision)
    return model


def load_eye(config: DetectorConfig, embedder: str) -> Eye:
    """The detector, warmed up, on a thread."""
    return Eye(load_detector(config, embedder), embedder_info(embedder).tag)


def check_detector(config: DetectorConfig) -> None:
    """Opens the detector's checkpoint without making it ready. Raises ArtifactError."""
    from models.vision.checkpoints import load_checkpoint

    load_checkpoint(config.detector, kind="detector")


async def load_writer(config: WriterConfig) -> "Writer":
    """The engine, started and ready to answer."""
    from models.language.writer import Writer

    began = time.monotonic()
    name = config.name or model_name(config.model)
    writer = await Writer.start(
        config.model,
        max_model_len=config.max_model_len,
        kv_cache_gib=config.kv_cache_gib,
        gpu_memory_utilization=config.gpu_memory_utilization,
        tensor_parallel_size=config.tensor_parallel_size,
        enforce_eager=config.enforce_eager,
        engine_args=config.engine_args,
        name=name,
        adapters=config.adapters,
        tool_parser=config.tool_parser,
    )
    _log.info(
        "%s runs in vLLM as `%s`, adapters %s, context %d tokens, ready in %.1f s",
        config.model,
        name,
        sorted(config.adapters) or "none",
        writer.max_model_len,
        time.monotonic() - began,
    )
    return writer


def model_name(model: str) -> str:
    """What callers call a checkpoint: the last part of a folder, a hub id as it is.

    >>> model_name("/weights/writer"), model_name("Qwen/Qwen3.5-4B")
    ('writer', 'Qwen/Qwen3.5-4B')
    """
    return Path(model).name if Path(model).is_absolute() or Path(model).is_dir() else model


def load_ranker(config: RankerConfig) -> "Ranker":
    """Asked once, so that what answers now answers later. Raises ArtifactError."""
    from models.recommend.probe import probe_ranker
    from models.recommend.ranker import Ranker

    folder = open_artifact(config.recommender, kind="recommender", schema=1)
    ranker = Ranker.load(folder)
    probe_ranker(ranker, folder)
    return ranker


@dataclass(frozen=True, slots=True)
class LoadedCandidates:
    """What an artifact proposes: what was done together, the learned sources that its manifest lets serve, and what speaks for rooms."""

    behaviour: "Behaviour"
    learned: "LearnedSources"
    room_weights: "Weights"


def load_candidates(recommender: str) -> LoadedCandidates:
    """Asked once, as a ranker is. Raises ArtifactError."""
    from models.recommend.behaviour import Behaviour
    from models.recommend.learned import LearnedSources
    from models.recommend.probe import probe_candidates
    from models.recommend.rooms import load_weights

    folder = open_artifact(recommender, kind="recommender", schema=1)
    found = LoadedCandidates(Behaviour.load(folder), LearnedSources.load(folder), load_weights(folder))
    probe_candidates(found.behaviour, found.learned, folder)
    return found


def load_retriever(config: RetrieverConfig, embedder: str, home: Path | None = None) -> LoadedRetriever:
    """Indexes ready to be filled from the store: empty, or as `livecart index build` left them under `home` for the same text embedder."""
    from models.language.text_embedder import TextEmbedder
    from models.recommend.retriever import ShopIndex
    from models.recommend.rooms import RoomRanker

    found = load_candidates(config.recommender)
    info = embedder_info(embedder)
    index = ShopIndex(
        TextEmbedder.load(config.text_embedder),
        picture_dim=info.dim,
        factor_dim=found.behaviour.factor_dim,
        reranker=_load_reranker(config),
        rerank_depth=config.rerank_depth,
    )
    index.put_factors(found.behaviour.item_vectors())
    if home is not None and (home / INDEX).is_dir():
        _restore(index, home / INDEX, config.text_embedder)
    return LoadedRetriever(index, found.behaviour, RoomRanker(index, found.room_weights), info.tag, found.learned)


def embedder_digest(text_embedder: str) -> str:
    """Tells text embedders apart by their weights."""
    manifest = read_manifest(Path(text_embedder))
    return hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()


def _restore(index: "ShopIndex", folder: Path, text_embedder: str) -> None:
    """What the folder holds saves work; one that cannot be used leaves the index as it is, to be filled from the store."""
    wanted, began = embedder_digest(text_embedder), time.monotonic()
    try:
        _check_index(folder, wanted)
        index.restore(folder)
    except Exception as error:  # noqa: BLE001  # whatever is wrong with the folder, the store has all that it takes
        told = str(error) if isinstance(error, ArtifactError) else f"{type(error).__name__}: {error}"
        _log.warning("%s is not used and the index is built anew: %s; `livecart index build` makes it again", folder, told)
    else:
        _log.info("the products' vectors came from %s in %.1f s", folder, time.monotonic() - began)


def _check_index(folder: Path, wanted: str) -> None:
    """Raises ArtifactError for a damaged index and for one that another text embedder than `wanted` made."""
    if read_manifest(open_artifact(folder, kind="index", schema=INDEX_SCHEMA))["data"]["text_embedder"] != wanted:
        raise ArtifactError(f"{folder} was built with another text embedder")


def load_passages(config: RetrieverConfig) -> "PassageIndex":
    """The part of the retriever that finds evidence, empty."""
    from models.language.text_embedder import TextEmbedder
    from models.recommend.passages import PassageIndex

    return PassageIndex(TextEmbedder.load(config.text_embedder), _load_reranker(config), rerank_depth=config.rerank_depth)


def _load_reranker(config: RetrieverConfig) -> "Reranker | None":
    from models.language.rerank import load_reranker

    return load_reranker(config.reranker) if config.reranker else None
