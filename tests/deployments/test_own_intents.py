"""A shop's own intents: swapped in live where comprehension has replicas, and harmless to a graph that does not know them."""

import json
from pathlib import Path

import pytest

from deployments.remote.calls import Question
from deployments.replicas import ComprehensionReplica
from deployments.settings import ComprehensionConfig
from graphs.answering.phrases import small_talk
from graphs.reading.slots import slot_answer
from models.language.comprehension import TextClassifier
from models.training.classifier import train_on_file
from models.training.linear import Plan
from models.types import ArtifactError, Label
from tests.graphs.world import LAMP, ROOM

OWN = ("要不要戴帽子", "what about the band")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier with two labels that no graph knows."""
    folder = tmp_path_factory.mktemp("own")
    rows = [{"sentence": f"{asked} {word}", "label": f"own-{number}"} for number, asked in enumerate(OWN) for word in "甲乙丙丁戊己"]
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    train_on_file(folder / "model", folder / "rows.jsonl", name="intent", plan=Plan())
    return folder / "model"


async def test_a_new_folder_is_served_by_the_replica_that_runs(own: Path) -> None:
    replica = ComprehensionReplica()
    await replica.reconfigure(ComprehensionConfig().model_dump(mode="json"))
    assert await labelled(replica) == "price"
    await replica.reconfigure(ComprehensionConfig(intent=str(own)).model_dump(mode="json"))
    assert (await labelled(replica)).startswith("own-")


async def test_a_folder_that_cannot_be_loaded_leaves_the_old_one(tmp_path: Path) -> None:
    replica = ComprehensionReplica()
    await replica.reconfigure(ComprehensionConfig().model_dump(mode="json"))
    with pytest.raises(ArtifactError):
        await replica.reconfigure(ComprehensionConfig(intent=str(tmp_path)).model_dump(mode="json"))
    assert await labelled(replica) == "price"


@pytest.mark.parametrize("label", ["own-0", "买家咨询商品价格", ""])
def test_a_label_that_no_graph_knows_changes_no_answer(own: Path, label: str) -> None:
    assert label not in TextClassifier.load(own).labels[1:]
    assert small_talk(label, "en") is None
    for question in ("what is the price?", "is it in stock?", "what is the power?"):
        known = slot_answer(question, "spec", LAMP, room=ROOM, language="en")
        assert slot_answer(question, label, LAMP, room=ROOM, language="en") == known


async def labelled(replica: ComprehensionReplica) -> str:
    [answer] = await replica.ask([Question("intent", {"text": "how much is this lamp"})], [5.0])
    assert isinstance(answer, Label)
    return answer.label
