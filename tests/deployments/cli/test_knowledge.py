"""`livecart knowledge` against a real server: what is imported, imported again, replaced, exported and refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from deployments.cli.root import app
from tests.deployments.cli.served import served
from tests.deployments.knowledge.pdfs import encrypted, pdf, picture_only
from tests.hostile_requests import PRODUCT

GUIDE = "# Care\n\nWash by hand.\n\n## Drying\n\nLet it dry upside down.\n\nQ: Is it dishwasher safe?\nA: No.\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("served")) as address:
        httpx.put(f"{address}/v1/products/P-1", json=PRODUCT).raise_for_status()
        yield address


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["knowledge", *arguments], env={"COLUMNS": "200"})


def held(url: str, file: str) -> dict[str, dict[str, object]]:
    items = httpx.get(f"{url}/v1/knowledge", params={"limit": "500"}).json()["items"]
    return {item["document_id"]: item for item in items if item["document_id"].startswith(file)}


def test_a_markdown_file_is_imported_again_without_doubling(url: str, tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(GUIDE, encoding="utf-8")
    shown = run("import", str(file), "--url", url, "--product-id", "P-1", "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout) == {"file": str(file), "documents": 3}
    first = held(url, "guide.md")
    assert {(item["kind"], item["product_id"], item["language"]) for item in first.values()} == {
        ("document", "P-1", "en"),
        ("qa", "P-1", "en"),
    }
    file.write_text(GUIDE.replace("No.", "Only the lid is."), encoding="utf-8")
    assert run("import", str(file), "--url", url, "--product-id", "P-1").exit_code == 0
    second = held(url, "guide.md")
    assert second.keys() == first.keys()
    assert [item["answer"] for item in second.values() if item["kind"] == "qa"] == ["Only the lid is."]


def test_replace_removes_what_the_file_no_longer_says_and_nothing_else(url: str, tmp_path: Path) -> None:
    guide, other = tmp_path / "short.md", tmp_path / "other.md"
    guide.write_text(GUIDE, encoding="utf-8")
    other.write_text(GUIDE, encoding="utf-8")
    for file in (guide, other):
        assert run("import", str(file), "--url", url).exit_code == 0
    assert run("import", str(guide), "--url", url, "--product-id", "P-1").exit_code == 0
    guide.write_text("# Care\n\nWash by hand.\n", encoding="utf-8")
    shown = run("import", str(guide), "--url", url, "--replace", "--json")
    assert json.loads(shown.stdout) == {"file": str(guide), "documents": 1, "removed": 2}
    assert len(held(url, "short.md:")) == 1
    assert len(held(url, "short.md@")) == 3
    assert len(held(url, "other.md")) == 3


def test_rows_without_ids_are_named_by_their_words_in_any_encoding(url: str, tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_bytes("问题,答案\n能机洗吗？,可以。\n多久发货？,48 小时内。\n能机洗吗？,请装洗衣袋。\n".encode("gb18030"))
    assert run("import", str(file), "--url", url).exit_code == 0
    first = held(url, "faq.csv")
    assert sorted(str(item["answer"]) for item in first.values()) == ["48 小时内。", "可以。", "请装洗衣袋。"]
    file.write_text("question,answer\n能机洗吗？,不可以。\n", encoding="utf-8")
    assert json.loads(run("import", str(file), "--url", url, "--replace", "--json").stdout)["removed"] == 2
    assert [(item["kind"], item["answer"]) for item in held(url, "faq.csv").values()] == [("qa", "不可以。")]


def test_rows_may_name_their_ids_and_are_never_removed(url: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [{"document_id": "own-1", "text": "We ship from Hangzhou."}, {"question": "Open?", "answer": "Daily.", "product_id": "P-1"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert run("import", str(file), "--url", url, "--replace").exit_code == 0
    file.write_text(json.dumps({"text": "Something else."}) + "\n", encoding="utf-8")
    assert run("import", str(file), "--url", url, "--replace").exit_code == 0
    assert held(url, "own-1")["own-1"]["kind"] == "document"
    assert len(held(url, "rows.jsonl")) == 1


def test_a_pdf_becomes_passages(url: str, tmp_path: Path) -> None:
    file = tmp_path / "manual.pdf"
    file.write_bytes(encrypted(pdf([("Manual", 20), ("Q: Is it warm?", 11), ("A: For 12 hours.", 11)]), "pw"))
    assert "--password" in run("import", str(file), "--url", url).output
    assert run("import", str(file), "--url", url, "--password", "pw").exit_code == 0
    assert [(item["question"], item["answer"]) for item in held(url, "manual.pdf").values()] == [("Is it warm?", "For 12 hours.")]


def test_a_dry_run_shows_the_passages_and_sends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(GUIDE, encoding="utf-8")
    shown = run("import", str(file), "--url", "http://127.0.0.1:9", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "Care / Drying: Let it dry upside down." in shown.output
    assert "Is it dishwasher safe? → No." in shown.output
    shown = run("import", str(file), "--dry-run", "--json")
    passages = json.loads(shown.stdout)["passages"]
    assert [row["kind"] for row in passages] == ["document", "qa", "document"]


def test_a_file_under_another_name_has_its_own_documents(url: str, tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(GUIDE, encoding="utf-8")
    assert run("import", str(file), "--url", url, "--name", "north/guide").exit_code == 0
    assert len(held(url, "north-guide~")) == 3


def test_what_is_exported_can_be_imported(url: str, tmp_path: Path) -> None:
    file, backup = tmp_path / "kept.md", tmp_path / "backup.jsonl"
    file.write_text(GUIDE, encoding="utf-8")
    run("import", str(file), "--url", url)
    assert run("export", "--url", url, "--out", str(backup)).exit_code == 0
    before = held(url, "")
    for document_id in held(url, "kept.md"):
        httpx.delete(f"{url}/v1/knowledge/{document_id}").raise_for_status()
    assert run("export", "--url", url, "--out", str(backup)).exit_code == 2
    assert run("import", str(backup), "--url", url).exit_code == 0
    assert held(url, "") == before
    printed = run("export", "--url", url).stdout
    assert [json.loads(line)["document_id"] for line in printed.splitlines()] == sorted(before)


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        ("a.docx", b"PK\x03\x04", (), "ends in .docx"),
        ("a", b"text", (), "ends in nothing"),
        ("a.md", b"", (), "holds no text"),
        ("a.md", b"\x89PNG\r\n\x1a\n\0\0", (), "--encoding"),
        ("a.md", b"a" * 2_000_000, ("--max-mib", "1"), "--max-mib"),
        ("a.md", b"a\n\n" * 1_000, ("--size", "60", "--max-passages", "3"), "--max-passages"),
        ("a.csv", b"text\na\nb\nc\nd\n", ("--max-passages", "3"), "--max-passages"),
        ("a.csv", b"text,colour\na,red\n", (), "row 1: colour"),
        ("a.csv", b"document_id,text\nok,a\n../../etc/passwd,b\n", (), "row 2: document_id"),
        ("a.csv", b"question\nonly?\n", (), "row 1"),
        ("a.csv", b'text\n"' + b"a" * 200_000 + b'"\n', (), "field"),
        ("a.jsonl", b'{"text": "a"}\n{"text": 5}\n', (), "row 2: text"),
        ("a.jsonl", b'{"text": "a", "language": "tlh"}\n', (), "row 1: language"),
        ("a.jsonl", b"[" * 100_000, (), "line 1"),
        ("a.jsonl", b"[]\n", (), "line 1"),
        ("a.jsonl", json.dumps({"text": "a" * 20_001}).encode(), (), "row 1: text"),
        ("a.pdf", picture_only(), (), "OCR"),
        ("a.pdf", pdf([("a", 11)])[:-30], (), "cut off"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_anything_is_sent(
    tmp_path: Path, name: str, content: bytes, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    shown = run("import", str(tmp_path / name), "--url", "http://127.0.0.1:9", *options)
    assert shown.exit_code == 1, shown.output
    assert said in " ".join(shown.output.split())
    assert "no answer from" not in shown.output


def test_a_product_that_is_unknown_is_named_by_the_server(url: str, tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(GUIDE, encoding="utf-8")
    shown = run("import", str(file), "--url", url, "--product-id", "P-404")
    assert shown.exit_code == 1
    assert "P-404" in shown.output
    assert "nothing was stored" in shown.output
