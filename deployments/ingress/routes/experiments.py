"""Results of the experiments in the settings."""

from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, model_response
from deployments.ingress.routing import EDITOR, PathId, Router
from livecart_client import wire

router = Router(tag="experiments")


@router.get(
    "/v1/experiments",
    response_model=wire.Page[wire.Experiment],
    dependencies=EDITOR,
    responses=schema.errors(503),
    summary="The experiments in the settings, each with its results",
)
async def list_experiments(gateway: TheGateway) -> Response:
    found = await gateway.experiments.results()
    return model_response(wire.Page[wire.Experiment](items=[wire.Experiment.model_validate(one) for one in found]))


@router.get(
    "/v1/experiments/{name}",
    response_model=wire.Experiment,
    dependencies=EDITOR,
    responses=schema.errors(404, 503),
    summary="One experiment: exposures, rates, lift with an interval that may be read at any time, sample-ratio check",
)
async def get_experiment(name: PathId, gateway: TheGateway) -> Response:
    return model_response(wire.Experiment.model_validate(await gateway.experiments.result(name)))
