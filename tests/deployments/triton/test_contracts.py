"""What fits is taken, what does not is named, all of it."""

import pytest

from deployments.ingress.oip.table import model_specs
from deployments.settings import Settings
from deployments.triton.contracts import DETECTOR, RANKER, ModelContract, embedder_contract
from models.recommend.features import FEATURE_NAMES
from models.vision.embedder_info import embedder_info
from tests.deployments.triton.serving import tensor

DIM = embedder_info(Settings().embedder).dim
WIDTH = len(FEATURE_NAMES)


@pytest.mark.parametrize(("name", "contract"), [("detector", DETECTOR), ("embedder", embedder_contract(DIM)), ("ranker", RANKER)])
def test_our_own_models_fit(name: str, contract: ModelContract) -> None:
    assert contract.misfits(model_specs(DIM)[name].metadata()) == []


def test_triton_s_way_of_writing_one_value_a_row_fits() -> None:
    outputs = [tensor("boxes", "FP16", -1, 50, 4), tensor("scores", "FP32", -1, 50), tensor("categories", "INT32", -1, 50)]
    described = {
        "inputs": [tensor("image", "BYTES", -1, 1)],
        "outputs": [*outputs, tensor("count", "INT32", -1, 1), tensor("masks", "UINT8", -1)],
    }
    assert DETECTOR.misfits(described) == []


@pytest.mark.parametrize(
    ("inputs", "outputs", "found"),
    [
        ([], [tensor("scores", "FP32", -1, 3)], ["input `features` is missing; there are none"]),
        (
            [tensor("features", "FP64", -1, WIDTH)],
            [tensor("scores", "INT8", -1, 3)],
            ["input `features` is FP64, it has to be FP32", "output `scores` is INT8, it has to be FP32 or FP16 or BF16"],
        ),
        (
            [tensor("features", "FP32", -1, WIDTH - 1)],
            [tensor("scores", "FP32", -1)],
            [
                f"input `features` has shape [-1, {WIDTH - 1}], it has to be [-1, {WIDTH}]",
                "output `scores` has shape [-1], it has to be [-1, 3]",
            ],
        ),
        (
            [tensor("features", "FP32", 8, WIDTH), tensor("viewer", "INT64", -1)],
            [tensor("chances", "FP32", -1, 3)],
            [
                f"input `features` has shape [8, {WIDTH}], it has to be [-1, {WIDTH}]",
                "input `viewer` is unknown here",
                "output `scores` is missing; there are chances",
            ],
        ),
    ],
)
def test_what_does_not_fit_is_named(inputs: list[dict[str, object]], outputs: list[dict[str, object]], found: list[str]) -> None:
    assert RANKER.misfits({"inputs": inputs, "outputs": outputs}) == found


def test_a_dimension_that_is_free_there_is_left_to_the_answer() -> None:
    described = {"inputs": [tensor("features", "FP32", -1, -1)], "outputs": [tensor("scores", "FP32", -1, -1)]}
    assert RANKER.misfits(described) == []
