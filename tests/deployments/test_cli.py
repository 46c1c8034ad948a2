"""The command line: help is instant and complete, imports send what the API takes, refusals are shown in the server's words."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from typer.testing import CliRunner

from deployments.cli.root import app
from deployments.ingress.key_watch import auth_from_environment
from deployments.rows import RowError, read_rows, to_event, to_product

RUNNER = CliRunner()
COMMANDS = [
    ["up"],
    ["down"],
    ["status"],
    ["version"],
    ["plan"],
    ["deploy"],
    ["ask"],
    ["recognize"],
    ["recommend"],
    ["demo", "video"],
    ["catalog", "import"],
    ["events", "import"],
    ["evaluate", "detector"],
    ["evaluate", "recognition"],
    ["graphs", "draw"],
    ["keys", "new"],
    ["knowledge", "export"],
    ["knowledge", "import"],
    ["questions", "answer"],
    ["questions", "dismiss"],
    ["questions", "list"],
    ["train", "detector"],
    ["train", "embedder"],
    ["train", "writer"],
    ["train", "text-embedder"],
    ["train", "intent"],
    ["train", "recommender"],
    ["train", "sentiment"],
]


class Shop(ThreadingHTTPServer):
    """Answers as livecart does, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.received: list[tuple[str, dict[str, list[dict[str, object]]], str]] = []
        self.refuse_after = 1_000_000

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Counter(BaseHTTPRequestHandler):
    server: Shop

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, body, self.headers.get("Authorization", "")))
        (rows,) = body.values()
        if len(self.server.received) > self.server.refuse_after:
            self.answer(
                422, {"error": {"code": "invalid_row", "message": "1 row is wrong", "details": [{"index": 0, "message": "no title"}]}}
            )
        else:
            self.answer(202, {"accepted": len(rows), "duplicates": 0})

    def answer(self, status: int, body: object) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        """Silent."""


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    shown = RUNNER.invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert f"livecart {' '.join(command)}" in shown.output


def test_the_help_of_a_client_names_only_what_it_takes() -> None:
    shown = RUNNER.invoke(app, ["recognize", "--help"], env={"COLUMNS": "200"}).output
    assert "$LIVECART_HOME" in shown
    assert "--home" not in shown


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, deployments.cli; print({'ray', 'torch', 'vllm', 'fastapi', 'httpx', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_a_new_key_is_one_that_the_server_knows() -> None:
    shown = RUNNER.invoke(app, ["keys", "new", "--role", "caller", "--name", "shop-1", "--json"])
    made = json.loads(shown.stdout)
    auth = auth_from_environment({"LIVECART_KEYS": made["line"]})
    assert auth.require(Headers({"authorization": f"Bearer {made['secret']}"}), "caller").name == "shop-1"
    plain = RUNNER.invoke(app, ["keys", "new", "--role", "editor", "--name", "cms"])
    assert plain.stdout.startswith("secret: lck_")
    assert "\nLIVECART_KEYS=editor:cms:" in plain.stdout


@pytest.mark.parametrize(("role", "name"), [("king", "a"), ("caller", "a b"), ("caller", "a:b")])
def test_a_key_that_no_line_could_hold_is_refused(role: str, name: str) -> None:
    shown = RUNNER.invoke(app, ["keys", "new", "--role", role, "--name", name])
    assert shown.exit_code == 2
    assert "lck_" not in shown.output


def test_nothing_runs_in_an_empty_home(tmp_path: Path) -> None:
    for command in ("down", "status"):
        shown = RUNNER.invoke(app, [command, "--home", str(tmp_path)])
        assert shown.exit_code == 1
        assert "no livecart runs" in shown.output


def test_up_names_a_missing_configuration(tmp_path: Path) -> None:
    shown = RUNNER.invoke(app, ["up", "--config", str(tmp_path / "none.yaml"), "--home", str(tmp_path)])
    assert shown.exit_code == 1
    assert "none.yaml does not exist" in shown.output


def test_up_refuses_a_port_that_a_foreign_server_holds(tmp_path: Path, shop: Shop) -> None:
    config = tmp_path / "serve_config.yaml"
    config.write_text(f"http_options: {{port: {shop.server_address[1]}}}", encoding="utf-8")
    shown = RUNNER.invoke(app, ["up", "--config", str(config), "--home", str(tmp_path)])
    assert shown.exit_code == 1
    assert "is taken by process" in shown.output


def test_events_are_sent_in_batches_with_the_key(tmp_path: Path, shop: Shop) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps({"event_id": f"e{number}"}) + "\n" for number in range(5)), encoding="utf-8")
    shown = RUNNER.invoke(app, ["events", "import", str(file), "--url", shop.url, "--key", "k", "--batch", "2", "--json"])
    assert shown.exit_code == 0, shown.output
    assert [len(body["events"]) for _, body, _ in shop.received] == [2, 2, 1]
    assert {(path, key) for path, _, key in shop.received} == {("/v1/events", "Bearer k")}
    assert json.loads(shown.stdout) == {"file": str(file), "accepted": 5, "duplicates": 0}


def test_a_catalogue_in_csv_becomes_products(tmp_path: Path, shop: Shop) -> None:
    file = tmp_path / "products.csv"
    file.write_text("product_id,title,price,attributes.颜色,stock,brand\np1,台灯,99.00,白,3,\n", encoding="utf-8-sig")
    shown = RUNNER.invoke(app, ["catalog", "import", str(file), "--url", shop.url])
    assert shown.exit_code == 0, shown.output
    price = {"amount": "99.00", "currency": "CNY"}
    assert shop.received[0][1] == {
        "products": [{"product_id": "p1", "title": "台灯", "price": price, "attributes": {"颜色": "白"}, "stock": 3}]
    }


def test_a_refusal_says_how_far_the_import_came(tmp_path: Path, shop: Shop) -> None:
    shop.refuse_after = 1
    file = tmp_path / "products.jsonl"
    file.write_text('{"product_id": "a"}\n{"product_id": "b"}\n', encoding="utf-8")
    shown = RUNNER.invoke(app, ["catalog", "import", str(file), "--url", shop.url, "--batch", "1"])
    assert shown.exit_code == 1
    assert "rows 2 to 2 were refused; rows 1 to 1 are stored" in shown.output
    assert "invalid_row: 1 row is wrong" in shown.output
    assert "no title" in shown.output


def test_a_refusal_of_the_first_rows_says_that_nothing_was_stored(tmp_path: Path, shop: Shop) -> None:
    shop.refuse_after = 0
    file = tmp_path / "products.jsonl"
    file.write_text('{"product_id": "a"}\n{"product_id": "b"}\n', encoding="utf-8")
    shown = RUNNER.invoke(app, ["catalog", "import", str(file), "--url", shop.url])
    assert shown.exit_code == 1
    assert "rows 1 to 2 were refused; nothing was stored" in shown.output
    assert "are stored" not in shown.output


def test_a_server_that_is_not_there_is_named() -> None:
    shown = RUNNER.invoke(app, ["ask", "is it warm?", "--url", "http://127.0.0.1:9"])
    assert shown.exit_code == 1
    assert "no answer from http://127.0.0.1:9" in shown.output
    assert "livecart up" in shown.output


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.csv", "event_id,value\ne1,many\n", "line 2: could not convert"),
        ("a.csv", "event_id,value\ne1\n", "line 2: it has not as many cells"),
        ("a.jsonl", '{"event_id": "e1"}\n[]\n', "line 2: an object is needed"),
        ("a.jsonl", "{\n", "line 1:"),
        ("a.jsonl", f'{{"value": {"9" * 5_000}}}\n', "line 1: a whole number of more than 4300 digits"),
        ("a.xlsx", "", "ends in .xlsx"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, found: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RowError, match=found):
        list(read_rows(file, to_event))


@pytest.mark.parametrize("stock", ["many", "1.5", "9" * 5_000])
def test_a_stock_that_is_no_whole_number_is_named(tmp_path: Path, stock: str) -> None:
    file = tmp_path / "products.csv"
    file.write_text(f"product_id,stock\np1,{stock}\n", encoding="utf-8")
    with pytest.raises(RowError, match=r"line 2: column stock: a whole number is needed, not '(many|1.5|9{40})'"):
        list(read_rows(file, to_product))


def test_cells_that_are_not_given_are_left_out() -> None:
    assert to_product({"product_id": "p1"}) == {"product_id": "p1"}
    assert to_event({"event_id": "e1"}) == {"event_id": "e1"}
