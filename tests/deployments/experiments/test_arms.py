"""What variants change in a graph, and what they may not."""

import shutil
from pathlib import Path

import pytest

from deployments.experiments.arms import Arms
from deployments.gateway import build_graphs
from deployments.ingress.fakes import fake_ports
from deployments.settings import ZOO, ExperimentConfig, GraphConfig, IngressConfig
from graphs.errors import GraphError
from graphs.fakes import FakeRanker, FakeShop
from graphs.flow import VariedGraph
from graphs.flow.varied import VariedStreamGraph

PORTS = fake_ports(FakeShop())


def experiment(graph: str = "recommend", *, enabled: bool = True, **treatment: object) -> ExperimentConfig:
    return ExperimentConfig.model_validate({"graph": graph, "variants": {"control": {}, "treatment": treatment}, "enabled": enabled})


def built(arms: Arms, **graphs: GraphConfig) -> dict[str, VariedGraph[object, object]]:
    return {
        name: graph
        for name, graph in build_graphs(PORTS, IngressConfig(graphs=graphs), arms=arms).items()
        if isinstance(graph, VariedGraph)
    }


def test_a_variant_starts_from_the_settings_of_its_graph() -> None:
    arms = Arms({"x": experiment(use_fallback=["rank"], timeouts_s={"room": 0.5})})
    graph = built(arms, recommend=GraphConfig(timeouts_s={"history": 0.7}))["recommend"]
    control, treatment = ({node.name: node for node in one.describe().nodes} for one in graph.variants.values())
    assert (control["history"].timeout_s, treatment["history"].timeout_s) == (0.7, 0.7)
    assert (control["room"].timeout_s, treatment["room"].timeout_s) == (2.0, 0.5)
    assert (control["rank"].kind, treatment["rank"].kind) == ("await", "apply")


def test_an_answer_in_variants_can_still_be_streamed() -> None:
    assert isinstance(built(Arms({"x": experiment("answer", timeouts_s={"intent": 0.5})}))["answer"], VariedStreamGraph)


def test_an_experiment_that_is_not_enabled_changes_nothing() -> None:
    assert built(Arms({"x": experiment(use_fallback=["rank"], enabled=False)})) == {}


def test_another_ranker_ranks_for_its_variant_and_graphs_within_others_vary_too() -> None:
    arms = Arms({"x": experiment(recommender="folder")}, {"folder": FakeRanker()})
    assert set(built(arms)) == {"recommend"}
    treatment = built(arms, recommend=GraphConfig(timeouts_s={"rank": 0.3}))["recommend"].variants["treatment"]
    assert {node.name: node.timeout_s for node in treatment.describe().nodes}["rank"] == 0.3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (experiment("recomend"), "experiment `x` is on the graph `recomend`; there are analyze, answer"),
        (experiment("recomend", enabled=False), "is on the graph `recomend`"),
        (experiment(use_fallback=["rnk"]), "experiment `x`, variant `treatment`: graph `recommend` has no node `rnk`"),
        (experiment(use_fallback=["history"]), "`history` has no fallback"),
        (experiment(timeouts_s={"around": 1}), "has no node `around`"),
        (experiment(splits={"rank": {"a": 1}}), "`rank` is no split"),
        (experiment("script"), "requests to graph `script` name no viewer"),
        (experiment("rooms", recommender="folder"), "graph `rooms` has no ranker"),
    ],
)
def test_what_the_graphs_do_not_have_is_refused(given: ExperimentConfig, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        built(Arms({"x": given}))


def test_two_experiments_on_one_graph_are_refused() -> None:
    with pytest.raises(ValueError, match="`a` and `b` are both on graph `recommend`"):
        IngressConfig(experiments={"a": experiment(), "b": experiment()})
    assert IngressConfig(experiments={"a": experiment(), "b": experiment(enabled=False), "c": experiment("answer")})


def test_an_experiment_needs_two_variants_and_a_weight() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        ExperimentConfig.model_validate({"graph": "recommend", "variants": {"control": {}}})
    with pytest.raises(ValueError, match="one weight"):
        ExperimentConfig.model_validate({"graph": "recommend", "variants": {"a": {"weight": 0}, "b": {"weight": 0}}})


async def test_rankers_are_loaded_and_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    folder = str(ZOO / "recommender")
    arms = await Arms.load({"x": experiment(recommender=folder)}, Arms().chooser)
    assert set(arms.rankers) == {folder}
    with pytest.raises(GraphError, match=r"experiment `x`, variant `treatment`: .*absent"):
        await Arms.load({"x": experiment(recommender=str(tmp_path / "absent"))}, Arms().chooser)
    broken = shutil.copytree(ZOO / "recommender", tmp_path / "broken")
    (broken / "ranker.json").write_text("{}", encoding="utf-8")
    with pytest.raises(GraphError, match="variant `treatment`"):
        await Arms.load({"x": experiment(recommender=str(broken))}, Arms().chooser)
    assert (await Arms.load({"x": experiment(recommender="absent", enabled=False)}, Arms().chooser)).rankers == {}
