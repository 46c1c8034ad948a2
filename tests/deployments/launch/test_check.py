"""A configuration that could not be served is refused before anything is started or deployed, with all that is wrong with it."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from deployments.cli.root import app
from deployments.launch import state
from deployments.launch.check import problems, require_keys, require_loadable, require_sound
from deployments.launch.errors import ConfigRefusedError
from deployments.launch.plan import plan
from deployments.launch.ports import free_ports
from deployments.settings import ZOO

ROOT = Path(__file__).resolve().parents[3]
RUNNER = CliRunner()


def document(**user_config: object) -> dict[str, object]:
    return {"applications": [{"name": "livecart", "deployments": [{"name": "Detector", "user_config": user_config}]}]}


def refusal(**user_config: object) -> str:
    edited = document(**user_config)
    with pytest.raises(ConfigRefusedError) as caught:
        require_loadable(plan(document(), edited), edited)
    return str(caught.value)


def written(folder: Path, *deployments: object, **args: object) -> Path:
    path = folder / "serve_config.yaml"
    application = {"name": "livecart", "import_path": "deployments.app:build", "args": args, "deployments": list(deployments)}
    path.write_text(yaml.safe_dump({"applications": [application]}), encoding="utf-8")
    return path


def free_port() -> str:
    return str(free_ports(1)[0])


def told(folder: Path, deployment: str, **user_config: object) -> list[str]:
    return problems(written(folder, {"name": deployment, "user_config": user_config}))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = refusal(detector=str(tmp_path / "absent"))
    assert str(tmp_path / "absent") in said
    assert "Nothing was deployed" in said


def test_a_setting_that_does_not_exist_is_named() -> None:
    assert "min_scroe" in refusal(min_scroe=0.4)


def test_a_detector_that_loads_passes() -> None:
    edited = document(min_score=0.4)
    require_loadable(plan(document(), edited), edited)


def test_an_edit_of_something_else_opens_nothing(tmp_path: Path) -> None:
    edited = document(detector=str(tmp_path / "absent"))
    require_loadable(plan(edited, edited), edited)


@pytest.mark.parametrize("name", ["serve_config.yaml", "serve_config.gpu.yaml"])
def test_the_shipped_configurations_have_no_problem(name: str) -> None:
    assert problems(ROOT / name) == []


def test_a_misspelled_setting_is_told_in_one_line_with_the_one_meant(tmp_path: Path) -> None:
    assert told(tmp_path, "Ingress", bank_treshold=0.7) == ["Ingress.user_config.bank_treshold: unknown key; did you mean bank_threshold?"]
    assert told(tmp_path, "Ingress", limits={"max_rovs": 1}) == ["Ingress.user_config.limits.max_rovs: unknown key; did you mean max_rows?"]


def test_a_value_out_of_range_is_told_with_what_was_found(tmp_path: Path) -> None:
    assert told(tmp_path, "Ingress", bank_threshold=7) == [
        "Ingress.user_config.bank_threshold: Input should be less than or equal to 1, not 7"
    ]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"name": "Detektor"}, "Detektor: unknown deployment; did you mean Detector?"),
        (
            {"num_replicas": 1},
            "deployments, entry 1: it has no name; there are Ingress, Detector, Writer, Retriever, Ranker, Comprehension",
        ),
        (
            {"name": "Ranker"},
            "Ranker: there is no such deployment while args.placement.ranker is fused; set it to replica, or remove the entry",
        ),
        ({"name": "Writer", "num_replica": 2}, "Writer.num_replica: unknown key; did you mean num_replicas?"),
        ({"name": "Writer", "num_replicas": "two"}, 'Writer: `num_replicas` must be an int or "auto", but got: two'),
        (
            {"name": "Writer", "autoscaling_config": {"min_replicas": 3, "max_replicas": 2}},
            "Writer.autoscaling_config: max_replicas (2) must be greater than or equal to min_replicas (3)!",
        ),
        (
            {"name": "Writer", "autoscaling_config": {"min_replica": 3}},
            "Writer.autoscaling_config.min_replica: unknown key; did you mean min_replicas?",
        ),
        (
            {"name": "Writer", "ray_actor_options": {"num_gpu": 1}},
            "Writer.ray_actor_options.num_gpu: unknown key; did you mean num_gpus?",
        ),
        ({"name": "Writer", "user_config": [1]}, "Writer.user_config: Input should be a valid dictionary or instance of WriterConfig"),
    ],
)
def test_an_entry_that_ray_serve_would_not_read_as_meant_is_told(tmp_path: Path, entry: dict[str, object], line: str) -> None:
    assert problems(written(tmp_path, entry)) == [line]


def test_keys_that_ray_serve_would_pass_over_are_told(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text("http_options: {prt: 1}\nproxy_locaton: HeadOnly\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert problems(path) == [
        "proxy_locaton: unknown key; did you mean proxy_location?",
        "http_options.prt: unknown key; did you mean port?",
    ]


def test_a_deployment_exists_where_the_placement_makes_one(tmp_path: Path) -> None:
    assert problems(written(tmp_path, {"name": "Ranker"}, placement={"ranker": "replica"})) == []


def test_arguments_of_the_application_are_read_too(tmp_path: Path) -> None:
    assert problems(written(tmp_path, placement={"rankr": "replica"})) == ["args.placement.rankr: unknown key; did you mean ranker?"]
    assert problems(written(tmp_path, embedder="/nope")) == ["args.embedder: /nope is no embedder: there is no such folder"]
    assert problems(written(tmp_path, ranker={"recommender": "nope"})) == [
        "args.ranker.recommender: nope is no recommender: there is no such folder"
    ]


def test_folders_that_hold_something_else_are_told(tmp_path: Path) -> None:
    assert told(tmp_path, "Writer", model="/nope", adapters={"shop": "/none"}) == [
        "Writer.user_config.adapters.shop: /none is no adapter: there is no such folder",
        "Writer.user_config.model: /nope is no model: there is no such folder",
    ]
    assert told(tmp_path, "Writer", adapters={"shop": str(tmp_path)}) == [
        f"Writer.user_config.adapters.shop: {tmp_path} is no adapter: it holds no adapter_config.json"
    ]
    assert problems(written(tmp_path, comprehension={"intent": str(ZOO / "recommender")})) == [
        f"args.comprehension.intent: {ZOO / 'recommender'} holds a recommender, a text-classifier is needed"
    ]
    assert problems(written(tmp_path, retriever={"reranker": str(tmp_path)})) == [
        f"args.retriever.reranker: {tmp_path} is no reranker: it holds no config.json"
    ]


def test_hub_ids_urls_and_what_ships_are_left_alone(tmp_path: Path) -> None:
    assert told(tmp_path, "Writer", model="Qwen/Qwen3.5-4B") == []
    assert told(tmp_path, "Detector", detector="s3://shop/detector") == []
    shipped = {name: str(ZOO / name) for name in ("text_embedder", "recommender", "reranker")}
    assert problems(written(tmp_path, {"name": "Writer", "user_config": {"model": str(ZOO / "writer")}}, retriever=shipped)) == []


def test_a_shops_rules_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    assert told(tmp_path, "Ingress", compliance_rules=str(rules)) == [
        f"Ingress.user_config.compliance_rules: the compliance rules {rules} cannot be read: No such file or directory"
    ]
    rules.write_text("rules: [{rule: mine, word: [a]}]", encoding="utf-8")
    (line,) = told(tmp_path, "Ingress", compliance_rules=str(rules))
    assert "rules.0.word" in line


def test_graphs_and_nodes_that_do_not_exist_are_told(tmp_path: Path) -> None:
    assert told(tmp_path, "Ingress", graphs={"anser": {}, "answer": {"timeouts_s": {"nothing": 1}}, "moment": {}})[0] == (
        "Ingress.user_config.graphs.anser: unknown graph; did you mean answer?"
    )
    (line,) = told(tmp_path, "Ingress", graphs={"answer": {"timeouts_s": {"nothing": 1}}, "moment": {"timeouts_s": {"answer": 4}}})
    assert line.startswith("Ingress.user_config.graphs.answer: graph `answer` has no node `nothing`")


def test_experiments_on_what_does_not_exist_are_told(tmp_path: Path) -> None:
    def lines(**given: object) -> list[str]:
        return told(tmp_path, "Ingress", experiments={"x": {"graph": "recommend", "variants": {"control": {}, "b": {}}, **given}})

    assert lines() == []
    assert lines(graph="recomend") == ["Ingress.user_config.experiments.x.graph.recomend: unknown graph; did you mean recommend?"]
    wrong = {"control": {}, "b": {"use_fallback": ["rnk"]}}
    (line,) = lines(variants=wrong, enabled=False)
    assert line.startswith("Ingress.user_config.experiments.x: experiment `x`, variant `b`: graph `recommend` has no node `rnk`")
    assert lines(variants={"control": {}, "b": {"recommender": "/nope"}}) == [
        "Ingress.user_config.experiments.x.variants.b.recommender: /nope is no recommender: there is no such folder"
    ]
    assert lines(variants={"control": {}, "b": {"recommender": str(ZOO / "recommender"), "use_fallback": ["rank"]}}) == []
    assert lines(variants={"control": {}, "b": {"weigth": 1}}) == [
        "Ingress.user_config.experiments.x.variants.b.weigth: unknown key; did you mean weight?"
    ]
    assert "at least 2 items" in lines(variants={"control": {}})[0]
    two = {name: {"graph": "recommend", "variants": {"control": {}, "b": {}}} for name in "xy"}
    (line,) = told(tmp_path, "Ingress", experiments=two)
    assert "`x` and `y` are both on graph `recommend`" in line


def test_everything_that_is_wrong_is_listed_at_once_and_refused(tmp_path: Path) -> None:
    path = written(tmp_path, {"name": "Detektor"}, {"name": "Writer", "num_replicas": 0, "user_config": {"modell": "a"}}, dmo=True)
    with pytest.raises(ConfigRefusedError) as caught:
        require_sound(path)
    said = str(caught.value)
    assert "pydantic" not in said
    assert [line.partition(":")[0] for line in said.splitlines()[1:-1]] == [
        "args.dmo",
        "Detektor",
        "Writer.num_replicas",
        "Writer.user_config.modell",
    ]
    assert said.endswith("\nNothing was deployed.")


def test_another_application_is_only_what_ray_serve_says(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text("applications: [{name: livecart, import_path: 'toy:build', args: {broken: true}}]", encoding="utf-8")
    assert problems(path, import_path="toy:build") == []
    assert "import_path must be" in problems(path)[0]


def test_the_plan_of_a_wrong_file_lists_its_problems_and_fails(tmp_path: Path) -> None:
    path = str(written(tmp_path, {"name": "Detektor"}))
    shown = RUNNER.invoke(app, ["plan", path, "--home", str(tmp_path)])
    assert shown.exit_code == 1
    assert shown.output == "Detektor: unknown deployment; did you mean Detector?\n"
    as_json = RUNNER.invoke(app, ["plan", path, "--home", str(tmp_path), "--json"])
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout) == {"changes": [], "problems": ["Detektor: unknown deployment; did you mean Detector?"]}


def test_up_refuses_a_wrong_file_before_anything_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shown = RUNNER.invoke(app, ["up", "--config", str(written(tmp_path, {"name": "Detektor"})), "--home", str(home), "--port", free_port()])
    assert shown.exit_code == 1
    assert "Detektor: unknown deployment" in shown.output
    assert [path.name for path in home.iterdir()] == [state.LOCK_FILE]


def test_deploy_refuses_a_wrong_file_before_it_joins_the_platform(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    state.save(tmp_path, state.RunState("r", 1, url, "serve_config.yaml", str(tmp_path), str(tmp_path), "2026-11-22T00:00:00+00:00"))
    shipped = (ROOT / "serve_config.yaml").read_text(encoding="utf-8")
    (tmp_path / state.DEPLOYED_FILE).write_text(shipped, encoding="utf-8")
    path = written(tmp_path, {"name": "Writer", "user_config": {"adapters": {"shop": "/nope"}}})
    shown = RUNNER.invoke(app, ["deploy", str(path), "--home", str(tmp_path)])
    assert shown.exit_code == 1
    assert "Writer.user_config.adapters.shop: /nope is no adapter: there is no such folder\nNothing was deployed." in shown.output


@pytest.mark.parametrize(("content", "said"), [("caller:shop-1", "role:name"), ("# nobody", "holds no key"), (None, "No such file")])
def test_keys_that_no_replica_could_start_with_end_the_command_before_anything_starts(
    tmp_path: Path, content: str | None, said: str
) -> None:
    keys = tmp_path / "keys"
    if content is not None:
        keys.write_text(content, encoding="utf-8")
    command = ["up", "--home", str(tmp_path / "home"), "--port", free_port(), "--config", str(ROOT / "serve_config.yaml")]
    shown = RUNNER.invoke(app, command, env={"LIVECART_KEYS_FILE": str(keys)})
    assert shown.exit_code == 1
    assert said in shown.output
    assert "Nothing was started" in shown.output


def test_keys_that_are_some_pass() -> None:
    require_keys({})
    require_keys({"LIVECART_KEYS": f"caller:shop-1:{'0' * 64}"})
