"""`livecart train recommender` on a shop's own data: looked at before, judged after, put in place when it is no worse."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer import Exit
from typer.testing import CliRunner, Result

from deployments.cli.common import resumable
from deployments.cli.root import app
from deployments.settings import ZOO
from deployments.versions import point
from livecart_client import wire
from models.artifacts import read_manifest
from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.interactions.events import read_events

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop in files: 120 viewers in ten days."""
    made = tmp_path_factory.mktemp("shop")
    products, rooms = demo_products(), demo_rooms()
    events = simulate(products, rooms, viewers=120, days=10, seed=3, until=UNTIL)
    write(made / "products.jsonl", [wire.Product.model_validate(product, from_attributes=True) for product in products])
    write(made / "rooms.jsonl", [wire.Room.model_validate(room, from_attributes=True) for room in rooms])
    write(made / "events.jsonl", [wire.Event.model_validate(event, from_attributes=True) for event in events])
    return made


def write(path: Path, rows: Sequence[wire.Product | wire.Room | wire.Event]) -> None:
    path.write_text("".join(f"{row.model_dump_json(exclude_none=True)}\n" for row in rows), encoding="utf-8")


def train(*options: object) -> Result:
    return CliRunner().invoke(app, ["train", "recommender", *map(str, options)])


@pytest.fixture(scope="module")
def shuffled(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shop, but only every fourth viewer is true: the others leave early and touched whatever product, so they teach nonsense."""
    made = tmp_path_factory.mktemp("shuffled")
    for name in ("products.jsonl", "rooms.jsonl"):
        (made / name).write_bytes((folder / name).read_bytes())
    events = read_events(folder / "events.jsonl")
    viewers, ids = sorted({event.viewer_id for event in events}), [product.product_id for product in demo_products()]
    true, rng = set(viewers[::4]), random.Random(5)
    early = events[0].at + (events[-1].at - events[0].at) * 0.75
    told = [event for event in events if event.viewer_id in true or event.at < early]
    taught = [event if event.viewer_id in true or not event.product_id else replace(event, product_id=rng.choice(ids)) for event in told]
    write(made / "events.jsonl", [wire.Event.model_validate(event, from_attributes=True) for event in taught])
    return made


@pytest.mark.slow
def test_a_version_no_worse_than_the_serving_one_takes_its_place(folder: Path, shuffled: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    first = train("--data", shuffled, "--out", tmp_path / "one", "--link", link, "--sources", "none")
    assert first.exit_code == 0, first.output
    assert link.resolve() == (tmp_path / "one").resolve()
    second = train("--data", folder, "--out", tmp_path / "two", "--link", link, "--sources", "ials", "--json")
    assert second.exit_code == 0, second.output
    assert link.resolve() == (tmp_path / "two").resolve()
    data = read_manifest(tmp_path / "two")["data"]
    assert "refitted" in data
    assert set(data["sources"]) == {"ials"}  # type: ignore[call-overload]  # of a manifest's data anything may be
    assert (tmp_path / "two" / "ials.json").exists() == data["sources"]["ials"]["serves"]  # type: ignore[index]
    told = json.loads(second.stdout[second.stdout.index("{\n") :])
    assert 100 < told["data"]["viewers"] <= 120
    assert told["judged"]["new"]["ndcg_at_10_pipeline"] > told["judged"]["new"]["ndcg_at_10_popularity"]


@pytest.mark.slow
def test_the_same_data_again_are_as_good_and_more_data_are_not_held_against_a_version(folder: Path, tmp_path: Path) -> None:
    part, link = tmp_path / "part", tmp_path / "current"
    part.mkdir()
    for name in ("products.jsonl", "rooms.jsonl"):
        (part / name).write_bytes((folder / name).read_bytes())
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (part / "events.jsonl").write_text("".join(lines[: len(lines) * 4 // 5]), encoding="utf-8")
    judged = dict[str, dict[str, dict[str, float]]]()
    for version, data in {"part": part, "all": folder, "again": folder}.items():
        told = train("--data", data, "--out", tmp_path / f"on-{version}", "--link", link, "--sources", "ials", "--json")
        assert told.exit_code == 0, told.output
        assert link.resolve() == (tmp_path / f"on-{version}").resolve()
        judged[version] = json.loads(told.stdout[told.stdout.index("{\n") :])["judged"]
    assert "old" not in judged["part"]
    assert judged["all"]["new"]["ndcg_at_10_pipeline"] >= 0.98 * judged["all"]["old"]["ndcg_at_10_pipeline"]
    assert judged["again"]["new"] == pytest.approx(judged["again"]["old"])


@pytest.mark.slow
def test_a_version_worse_than_the_serving_one_does_not(shuffled: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    point(link, ZOO / "recommender")
    refused = train("--data", shuffled, "--out", tmp_path / "worse", "--link", link, "--sources", "none", "--json")
    assert refused.exit_code == 3, refused.output
    assert link.resolve() == (ZOO / "recommender").resolve()
    told = json.loads(refused.stdout[refused.stdout.index("{\n") :])
    assert told["serves"] == str(link.resolve())
    judged = {name: scores["ndcg_at_10_pipeline"] for name, scores in told["judged"].items()}
    assert judged["new"] < 0.9 * judged["old"], judged  # far from what is tolerated


def test_odd_data_are_told_and_strict_stops_at_them(folder: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    (few / "events.jsonl").write_text("".join((folder / "events.jsonl").read_text().splitlines(keepends=True)[:50]))
    (few / "products.jsonl").write_bytes((folder / "products.jsonl").read_bytes())
    refused = train("--data", few, "--out", tmp_path / "out", "--strict")
    assert refused.exit_code == 1
    assert "teach little" in refused.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("run", "said"), [(None, "nothing was kept"), (Path("kept"), "--run kept goes on")])
def test_ctrl_c_ends_with_how_to_go_on(capsys: pytest.CaptureFixture[str], run: Path | None, said: str) -> None:
    with pytest.raises(Exit) as ended, resumable(run):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no products.jsonl"),
        ({"products.jsonl": ""}, "events.csv, events.jsonl or events.parquet"),
        ({"events.jsonl": "{}\n"}, "no products.jsonl"),
        ({"products.jsonl": '{"product_id": 7}\n', "events.jsonl": ""}, "products.jsonl, row 1: product_id"),
        ({"products.jsonl": "[]\n", "events.jsonl": ""}, "an object is needed"),
        ({"products.jsonl": "", "events.jsonl": "", "rooms.csv": "room_id\n"}, "write rooms.jsonl"),
    ],
)
def test_a_folder_that_cannot_be_read_ends_with_what_is_wrong(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    refused = train("--data", tmp_path, "--out", tmp_path / "out")
    assert refused.exit_code == 1
    assert said in refused.output.replace("\n", " ")
    assert "Traceback" not in refused.output


def test_a_version_is_never_written_over_another(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "manifest.json").write_text("{}")
    link = tmp_path / "current"
    point(link, kept)
    for out in (kept, link, kept / "manifest.json"):
        refused = train("--out", out, "--link", link)
        assert refused.exit_code == 2
        assert "is there already" in refused.output.replace("\n", " ")
    refused = train("--out", tmp_path / "new", "--link", kept)
    assert refused.exit_code == 2
    assert "is no link" in refused.output.replace("\n", " ")
    assert [path.name for path in kept.iterdir()] == ["manifest.json"]
