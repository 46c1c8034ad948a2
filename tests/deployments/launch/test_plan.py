from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray.serve._private.config import DeploymentConfig

from deployments.launch.plan import CONSEQUENCES, Change, Consequence, at_port, plan

RAY_SAYS = {
    "LightWeight": Consequence.NOTHING,
    "NeedsReconfigure": Consequence.LIVE,
    "NeedsActorReconfigure": Consequence.LIVE,
    "HeavyWeight": Consequence.ROLLING,
}


def document(*, args: dict[str, Any] | None = None, port: int = 8000, **detector: object) -> dict[str, Any]:
    application = {"name": "livecart", "args": args or {}, "deployments": [{"name": "Detector", **detector}]}
    return {"http_options": {"port": port}, "applications": [application]}


def test_the_table_is_what_the_pinned_ray_does() -> None:
    fields = {name: field.json_schema_extra for name, field in DeploymentConfig.model_fields.items() if field.json_schema_extra}
    assert {name: RAY_SAYS[extra["update_type"].value] for name, extra in fields.items()} == {name: CONSEQUENCES[name] for name in fields}


def test_the_same_file_changes_nothing() -> None:
    assert plan(document(num_replicas=2), document(num_replicas=2)) == []


def test_an_empty_mapping_is_the_same_as_none() -> None:
    assert plan(document(user_config={}), document()) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (document(num_replicas=3), Change("Detector.num_replicas", None, 3, Consequence.NOTHING)),
        (document(user_config={"min_score": 0}), Change("Detector.user_config.min_score", None, 0, Consequence.LIVE)),
        (document(ray_actor_options={"num_gpus": 1}), Change("Detector.ray_actor_options.num_gpus", None, 1, Consequence.ROLLING)),
        (document(args={"placement": {"ranker": "replica"}}), Change("args.placement.ranker", None, "replica", Consequence.EVERYTHING)),
        (document(args={"front": {"idle_s": 5}}), Change("args.front.idle_s", None, 5, Consequence.NEW_START)),
        (document(port=9000), Change("http_options.port", 8000, 9000, Consequence.NEW_START)),
    ],
)
def test_an_edit_has_its_consequence(new: dict[str, Any], expected: Change) -> None:
    assert plan(document(), new) == [expected]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (18800, []),  # what is listened on
        (8000, []),  # what was deployed, over which `--port` went
        (9000, [Change("http_options.port", 18800, 9000, Consequence.NEW_START)]),
    ],
)
def test_a_port_is_compared_with_the_one_in_effect(asked: int, expected: list[Change]) -> None:
    edited = document(port=asked)
    assert plan(at_port(document(), edited, 18800), edited) == expected


def test_a_file_without_a_port_asks_for_8000() -> None:
    silent: dict[str, Any] = {**document(), "http_options": {}}
    assert plan(at_port(document(), silent, 8000), silent) == []


def test_a_deployment_that_goes_away_ends_and_one_that_comes_starts() -> None:
    there = document(num_replicas=2, user_config={"min_score": 0.5})
    gone: dict[str, Any] = {**document(), "applications": [{"name": "livecart", "args": {"placement": {"detector": "fused"}}}]}
    assert plan(there, gone) == [
        Change("args.placement.detector", None, "fused", Consequence.EVERYTHING),
        Change("Detector.num_replicas", 2, None, Consequence.ENDS),
        Change("Detector.user_config.min_score", 0.5, None, Consequence.ENDS),
    ]
    assert {change.consequence for change in plan(gone, there)} == {Consequence.EVERYTHING, Consequence.STARTS}


def test_a_deployment_without_an_entry_goes_on_with_its_defaults() -> None:
    silent: dict[str, Any] = {**document(), "applications": [{"name": "livecart", "args": {}}]}
    assert plan(document(num_replicas=2), silent) == [Change("Detector.num_replicas", 2, None, Consequence.NOTHING)]


def test_the_most_disturbing_change_comes_first() -> None:
    changes = plan(document(), document(port=1, num_replicas=2, args={"demo": False}))
    assert [change.consequence for change in changes] == [Consequence.NEW_START, Consequence.EVERYTHING, Consequence.NOTHING]


VALUES = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3))


@given(st.dictionaries(st.sampled_from([*CONSEQUENCES]), VALUES), st.dictionaries(st.sampled_from([*CONSEQUENCES]), VALUES))
def test_undoing_an_edit_undoes_its_changes(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = plan(document(**before), document(**after)), plan(document(**after), document(**before))
    assert {(change.where, repr(change.old), repr(change.new)) for change in there} == {
        (change.where, repr(change.new), repr(change.old)) for change in back
    }
