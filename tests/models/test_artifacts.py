"""A folder of weights is opened only when it is what its manifest says."""

import json
from pathlib import Path

import fsspec  # type: ignore[import-untyped]  # ships no stubs
import pytest

from models.artifacts import CACHE_VARIABLE, open_artifact, read_manifest, write_manifest
from models.types import ArtifactError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ranker"
    (made / "deep").mkdir(parents=True)
    (made / "weights.bin").write_bytes(b"\x00\x01" * 100)
    (made / "deep" / "config.json").write_text("{}")
    write_manifest(made, kind="ranker", schema=2, command="livecart train ranker", seed=7, data={"events": 3}, metrics={"auc": 0.5})
    return made


def _published(folder: Path, url: str) -> str:
    for path in folder.rglob("*"):
        if path.is_file():
            with fsspec.open(f"{url}/{path.relative_to(folder).as_posix()}", "wb") as remote:
                remote.write(path.read_bytes())
    return url


def test_an_intact_folder_opens_as_itself(folder: Path) -> None:
    assert open_artifact(folder, kind="ranker", schema=2) == folder
    assert open_artifact(str(folder), kind="ranker", schema=2) == folder


def test_the_manifest_tells_how_the_folder_was_made(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest["seed"] == 7
    assert manifest["data"] == {"events": 3}
    assert manifest["metrics"] == {"auc": 0.5}
    assert manifest["licence"] == "Apache-2.0"
    assert set(manifest["files"]) == {"weights.bin", "deep/config.json"}
    assert manifest["files"]["weights.bin"]["size"] == 200
    assert "numpy" in manifest["versions"]


def test_writing_twice_describes_the_current_files(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"new")
    write_manifest(folder, kind="ranker", schema=3, command="x", seed=0, data={}, metrics={})
    assert open_artifact(folder, kind="ranker", schema=3) == folder


@pytest.mark.parametrize(("kind", "schema", "said"), [("writer", 2, "'writer' was asked for"), ("ranker", 1, "reads 1")])
def test_another_kind_or_schema_is_refused(folder: Path, kind: str, schema: int, said: str) -> None:
    with pytest.raises(ArtifactError, match=said):
        open_artifact(folder, kind=kind, schema=schema)


def test_a_changed_byte_is_found_and_the_remedy_named(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"\x00\x01" * 99 + b"\x00\x02")
    with pytest.raises(ArtifactError, match=r"weights\.bin is damaged.*livecart train ranker"):
        open_artifact(folder, kind="ranker", schema=2)


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "deep" / "config.json").unlink()
    with pytest.raises(ArtifactError, match=r"config\.json is missing"):
        open_artifact(folder, kind="ranker", schema=2)


def test_a_folder_without_manifest_and_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json is missing"):
        open_artifact(tmp_path, kind="ranker", schema=1)
    with pytest.raises(ArtifactError, match="not a folder"):
        open_artifact(tmp_path / "absent", kind="ranker", schema=1)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', "\x00"])
def test_a_broken_manifest_is_refused(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        open_artifact(folder, kind="ranker", schema=2)


def test_a_manifest_naming_a_file_outside_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../secret"] = manifest["files"]["weights.bin"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="outside the folder"):
        open_artifact(folder, kind="ranker", schema=2)


def test_an_empty_folder_cannot_be_described(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no files"):
        write_manifest(tmp_path, kind="ranker", schema=1, command="x", seed=0, data={}, metrics={})


def test_a_remote_folder_is_copied_once_and_verified(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    url = _published(folder, "memory://artifacts-once/ranker")
    first = open_artifact(url, kind="ranker", schema=2)
    assert first.parent == tmp_path / "cache"
    assert (first / "weights.bin").read_bytes() == (folder / "weights.bin").read_bytes()
    assert open_artifact(url + "/", kind="ranker", schema=2) == first


def test_a_remote_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(ArtifactError, match="memory://nowhere/ranker"):
        open_artifact("memory://nowhere/ranker", kind="ranker", schema=1)
