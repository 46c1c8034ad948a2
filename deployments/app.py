"""Every bind on one screen: which deployments there are, what each is given, how they scale by default.

`serve_config.yaml` overrides any of these options by deployment name. Ray finds the type of `build`'s argument only when the
annotation is a real class, hence no postponed annotations in this file.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ray import serve
from ray.serve import Application, Deployment

from deployments.ingress.replica import IngressReplica
from deployments.replicas import ComprehensionReplica, DetectorReplica, RankerReplica, RetrieverReplica, WriterReplica
from deployments.settings import Frozen, Settings
from models.language.environment import writer_environment

STREAM_S = 120.0  # the longest stream that a replica on its way out may finish


def build(settings: Settings) -> Application:
    """The application `livecart`: an ingress over the model systems that are placed in replicas of their own."""
    writer = deployment(
        WriterReplica,
        "Writer",
        settings.writer,
        max_ongoing_requests=256,
        graceful_shutdown_timeout_s=STREAM_S,
        env_vars=writer_environment(settings.writer.model, threads=settings.writer.threads),
    )
    models: dict[str, Application] = {"writer": writer.bind()}
    if settings.placement.detector == "replica":
        models["detector"] = deployment(DetectorReplica, "Detector", settings.detector, max_ongoing_requests=16).bind(settings.embedder)
    if settings.placement.retriever == "replica":
        models["retriever"] = deployment(RetrieverReplica, "Retriever", settings.retriever).bind(settings)
    if settings.placement.ranker == "replica":
        models["ranker"] = deployment(RankerReplica, "Ranker", settings.ranker).bind()
    if settings.placement.comprehension == "replica":
        models["comprehension"] = deployment(ComprehensionReplica, "Comprehension", settings.comprehension).bind()
    ingress = serve.ingress()(IngressReplica)
    return deployment(ingress, "Ingress", settings.ingress, max_ongoing_requests=1_000).bind(settings, **models)


def deployment(  # each is an option of Serve
    cls: type,
    name: str,
    config: Frozen,
    *,
    max_ongoing_requests: int = 64,
    graceful_shutdown_timeout_s: float = 5.0,
    env_vars: Mapping[str, str] = MappingProxyType({}),
) -> Deployment:
    """A deployment with defaults that suit one machine: replicas share the cores, and leave quickly."""
    return serve.deployment(
        cls,
        name=name,
        max_ongoing_requests=max_ongoing_requests,
        user_config=config.model_dump(mode="json"),
        ray_actor_options={"num_cpus": 0.1, "runtime_env": {"env_vars": dict(env_vars)}},
        graceful_shutdown_timeout_s=graceful_shutdown_timeout_s,
        logging_config={"enable_access_log": False},  # the ingress writes its own, with request ids
    )
