"""Folders of weights with a manifest beside them: what they are, how they were made, and the sha256 of every file."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TypedDict, cast

import fsspec  # type: ignore[import-untyped]  # ships no stubs

from models.types import ArtifactError

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
CACHE_VARIABLE = "LIVECART_CACHE"  # environment: where remote artifacts are copied to
_PACKAGES = ("numpy", "torch", "scipy", "scikit-learn", "faiss-cpu", "transformers", "tokenizers")


class FileEntry(TypedDict):
    """Size in bytes and hex sha256 of one file."""

    size: int
    sha256: str


class Manifest(TypedDict):
    """The content of `manifest.json`."""

    format: int  # of the manifest itself
    kind: str  # which class loads this folder, e.g. `recommender`
    schema: int  # of the folder's content; the loading class raises it when old folders no longer load
    licence: str  # SPDX
    command: str  # makes this folder again
    seed: int
    commit: str | None  # of the code that made it
    created: str  # ISO 8601, UTC
    versions: dict[str, str]  # package -> version
    data: dict[str, object]  # what it was trained on
    metrics: dict[str, float]  # what it scores on held-out data
    files: dict[str, FileEntry]  # posix path relative to the folder


def write_manifest(  # noqa: PLR0913  # one keyword per fact of the manifest
    folder: Path,
    *,
    kind: str,
    schema: int,
    command: str,
    seed: int,
    data: Mapping[str, object],
    metrics: Mapping[str, float],
    licence: str = "Apache-2.0",
) -> None:
    """Describe every file below `folder` in `folder/manifest.json`, replacing an older manifest atomically.

    Raises ArtifactError when the folder is missing or holds no file besides the manifest.
    """
    files = {name: _entry(folder / name) for name in _file_names(folder)} if folder.is_dir() else {}
    if not files:
        raise ArtifactError(f"{folder} holds no files to describe; save the weights first, then write the manifest")
    manifest = Manifest(
        format=MANIFEST_FORMAT,
        kind=kind,
        schema=schema,
        licence=licence,
        command=command,
        seed=seed,
        commit=_commit(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=_versions(),
        data=dict(data),
        metrics={name: float(value) for name, value in metrics.items()},
        files=files,
    )
    text = json.dumps(manifest, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    draft = folder / f".{MANIFEST}.{os.getpid()}"
    draft.write_text(text, encoding="utf-8")
    draft.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a local folder, its shape checked but not the files it names. Raises ArtifactError."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} is missing; train the artifact again or point the setting at its folder") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read ({error}); restore it or train the artifact again") from error
    if not isinstance(manifest, dict) or not Manifest.__required_keys__ <= manifest.keys():
        raise ArtifactError(f"{path} is not a manifest of format {MANIFEST_FORMAT}; train the artifact again")
    if manifest["format"] != MANIFEST_FORMAT:
        raise ArtifactError(f"{path} has format {manifest['format']}, this version reads {MANIFEST_FORMAT}; train the artifact again")
    return cast(Manifest, manifest)


def open_artifact(location: str | Path, *, kind: str, schema: int) -> Path:
    """The local folder of an artifact whose kind, schema, file sizes and sha256 have been verified.

    `location` is a local folder or any fsspec URL (`s3://bucket/ranker`, `memory://x`); a remote folder is copied once per
    manifest into `$LIVECART_CACHE` (default `~/.cache/livecart`). Raises ArtifactError naming the file and the remedy.
    """
    folder = _fetched(str(location)) if _is_remote(str(location)) else Path(location).expanduser()
    if not folder.is_dir():
        raise ArtifactError(f"{folder} is not a folder; train the artifact or correct the setting that names it")
    manifest = read_manifest(folder)
    _check_identity(folder, manifest, kind=kind, schema=schema)
    for name, entry in manifest["files"].items():
        _check_file(folder, name, entry, remedy=f"restore it or run: {manifest['command']}")
    return folder


def _check_identity(folder: Path, manifest: Manifest, *, kind: str, schema: int) -> None:
    command = manifest["command"]
    if manifest["kind"] != kind:
        raise ArtifactError(f"{folder} holds a {manifest['kind']!r}, a {kind!r} was asked for; correct the setting that names it")
    if manifest["schema"] != schema:
        raise ArtifactError(f"{folder} has schema {manifest['schema']}, this version reads {schema}; run: {command}")


def _check_file(folder: Path, name: str, entry: FileEntry, *, remedy: str) -> None:
    _check_name(folder, name)
    path = folder / name
    if not path.is_file():
        raise ArtifactError(f"{path} is missing; {remedy}")
    found = _entry(path)
    if found != entry:
        raise ArtifactError(
            f"{path} is damaged: {found['size']} bytes with sha256 {found['sha256'][:12]}, the manifest says {entry['size']} bytes "
            f"with {entry['sha256'][:12]}; {remedy}"
        )


def _check_name(folder: Path | str, name: str) -> None:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts:
        raise ArtifactError(f"{folder}/{MANIFEST} names {name!r}, which lies outside the folder; do not use this artifact")


def _file_names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST and not path.name.startswith("."):
            yield name


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        return FileEntry(size=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


# --- remote folders ------------------------------------------------------------------------------------------------------


def _is_remote(location: str) -> bool:
    return "://" in location


def _fetched(url: str) -> Path:
    """Copy the files that the remote manifest names; the copy appears under its final name only when complete."""
    base = url.rstrip("/")
    raw = _read_url(f"{base}/{MANIFEST}")
    target = _cache_folder() / hashlib.sha256(base.encode() + raw).hexdigest()[:32]
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        draft = Path(scratch) / "artifact"
        draft.mkdir()
        (draft / MANIFEST).write_bytes(raw)
        for name in read_manifest(draft)["files"]:
            _check_name(base, name)
            _copy_url(f"{base}/{name}", draft / name)
        _move_into_place(draft, target)
    return target


def _move_into_place(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was first with the same content
            raise


def _read_url(url: str) -> bytes:
    try:
        with fsspec.open(url, "rb") as remote:
            return bytes(remote.read())
    except (OSError, ValueError, ImportError) as error:
        raise ArtifactError(f"{url} cannot be read ({error}); check the address and the credentials of its store") from error


def _copy_url(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with fsspec.open(url, "rb") as remote, path.open("wb") as local:
            shutil.copyfileobj(remote, local, length=1 << 20)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{url} cannot be copied to {path} ({error}); check the store and the free disk space") from error


def _cache_folder() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "livecart"


# --- where the code stands -------------------------------------------------------------------------------------------------


def _commit() -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    here = Path(__file__).resolve().parent
    result = subprocess.run([git, "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603  # fixed arguments
    return result.stdout.strip() or None


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
