"""Checks `serve_config.yaml` as Ray Serve will read it."""

from pathlib import Path

from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from deployments.launch.config import APPLICATION, IMPORT_PATH, LOOPBACK, http_options, read_yaml
from deployments.launch.errors import ConfigRefusedError
from deployments.launch.told import told


def read_schema(path: Path, *, port: int, import_path: str = IMPORT_PATH) -> ServeDeploySchema:
    """The file as it is deployed on this machine. Raises `ConfigRefusedError`.

    Ray is told to listen on loopback whatever the file says: that binds the replicas. haproxy.py opens the front end, and only it.
    """
    raw = read_yaml(path)
    options = {**http_options(path, raw), "host": LOOPBACK, "port": port}
    try:
        schema = ServeDeploySchema.model_validate({"proxy_location": "HeadOnly", **raw, "http_options": options})
    except ValidationError as error:
        said = "\n".join(told(error, ServeDeploySchema, raw, ""))
        raise ConfigRefusedError(f"{path} is not a Ray Serve configuration:\n{said}") from error
    except ValueError as error:
        raise ConfigRefusedError(f"{path} is not a Ray Serve configuration: {error}") from error
    names = [application.name for application in schema.applications]
    if names != [APPLICATION]:
        raise ConfigRefusedError(f"{path} must hold exactly one application named {APPLICATION!r}; it holds {names}.")
    found = schema.applications[0].import_path
    if found != import_path:
        raise ConfigRefusedError(f"{path}: the application's import_path must be {import_path!r}, not {found!r}.")
    return schema
