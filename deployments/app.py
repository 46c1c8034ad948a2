"""Every bind on one screen: which deployments there are, what each is given, how they scale by default.

`serve_config.yaml` overrides any of these options by deployment name. Ray finds the type of `build`'s argument only when the
annotation is a real class, hence no postponed annotations in this file.
"""

from typing import Any

from ray import serve
from ray.serve import Application

from deployments.ingress.replica import IngressReplica
from deployments.launch.profile import writer_environment
from deployments.replicas import ComprehensionReplica, DetectorReplica, RankerReplica, RetrieverReplica, WriterReplica
from deployments.settings import Frozen, Settings

STREAM_S = 120.0  # the longest stream that a replica on its way out may finish


def build(settings: Settings) -> Application:
    """The application `livecart`: an ingress over the model systems that are placed in replicas of their own."""
    writer_env = {"env_vars": writer_environment(settings.writer)}
    models: dict[str, Application] = {
        "detector": _bind(DetectorReplica, "Detector", settings.detector, max_ongoing_requests=16),
        "writer": _bind(
            WriterReplica,
            "Writer",
            settings.writer,
            max_ongoing_requests=256,
            graceful_shutdown_timeout_s=STREAM_S,
            ray_actor_options={"num_cpus": 0.1, "runtime_env": writer_env},
        ),
    }
    if settings.placement.retriever == "replica":
        models["retriever"] = _bind(RetrieverReplica, "Retriever", settings.retriever, settings, max_ongoing_requests=64)
    if settings.placement.ranker == "replica":
        models["ranker"] = _bind(RankerReplica, "Ranker", settings.ranker, max_ongoing_requests=64)
    if settings.placement.comprehension == "replica":
        models["comprehension"] = _bind(ComprehensionReplica, "Comprehension", settings.comprehension, max_ongoing_requests=64)
    ingress = serve.ingress()(IngressReplica)
    return _bind(ingress, "Ingress", settings.ingress, settings, max_ongoing_requests=1_000, **models)


def _bind(cls: type, name: str, config: Frozen, *args: object, max_ongoing_requests: int, **options: Any) -> Application:
    """Deployment options are those that Serve knows; everything else is handed to the constructor."""
    known = {key: options.pop(key) for key in ("graceful_shutdown_timeout_s", "ray_actor_options") if key in options}
    deployment = serve.deployment(
        cls,
        name=name,
        max_ongoing_requests=max_ongoing_requests,
        user_config=config.model_dump(mode="json"),
        **{"ray_actor_options": {"num_cpus": 0.1}, "graceful_shutdown_timeout_s": 5.0, **known},
    )
    return deployment.bind(*args, **options)
