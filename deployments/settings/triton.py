"""Models that an external Triton server serves."""

from typing import Annotated

from pydantic import Field

from deployments.settings.base import Frozen, Seconds


class TritonModelConfig(Frozen):
    """A model of an external Triton server, or of any that speaks the Open Inference Protocol over HTTP; see docs/triton.md."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")]  # LIVECART_TRITON_KEY is sent as its bearer key
    model: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(pattern=r"^[0-9]*$")] = ""  # empty: whichever the server has as its newest
    timeout_s: Seconds = 5.0  # of one call; the request's own deadline counts where it is sooner
    max_connections: Annotated[int, Field(ge=1, le=1_024)] = 32  # per ingress replica; further calls wait for one of them
    max_rows: Annotated[int, Field(ge=1, le=65_536)] = 32  # of one call: the server's max_batch_size


class TritonDetectorConfig(TritonModelConfig):
    model: Annotated[str, Field(min_length=1)] = "detector"
    categories: Annotated[tuple[str, ...], Field(min_length=1)] | None = None  # by number; None: as the model's configuration says


class TritonEmbedderConfig(TritonModelConfig):
    """It serves what `args.embedder` names, which says how wide its vectors are and what they are kept as."""

    model: Annotated[str, Field(min_length=1)] = "embedder"


class TritonRankerConfig(TritonModelConfig):
    """It scores the features that the recommender of `args.ranker` computes here."""

    model: Annotated[str, Field(min_length=1)] = "ranker"
    max_rows: Annotated[int, Field(ge=1, le=65_536)] = 4_096


class TritonSettings(Frozen):
    """What `placement` leaves to an external server."""

    detector: TritonDetectorConfig | None = None
    embedder: TritonEmbedderConfig | None = None  # goes with `detector`: a vector for each box
    ranker: TritonRankerConfig | None = None
