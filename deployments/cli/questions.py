"""`livecart questions`: what viewers asked and nobody, or only the LLM, answered; editors answer it here into the bank."""

from typing import Annotated

import typer

from deployments.cli.common import AsJson, Key, Url, fail, print_json, server

app = typer.Typer(help="Questions for an editor.", no_args_is_help=True)
QuestionId = Annotated[str, typer.Argument(help="As `livecart questions list` shows it.")]


@app.command("list")
def list_questions(  # noqa: PLR0913  # a command's options
    *,
    status: Annotated[str, typer.Option(help="open, answered, dismissed or all.")] = "open",
    source: Annotated[str, typer.Option(help="none: nobody answered; llm: the LLM did.")] = "",
    room: Annotated[str, typer.Option("--room", help="Only those asked in this room.")] = "",
    product: Annotated[str, typer.Option(help="Only those about this product.")] = "",
    order: Annotated[str, typer.Option(help="most_asked or newest.")] = "most_asked",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str, typer.Option(help="The `next_cursor` of the page before.")] = "",
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Show what was declined or answered by the LLM, most asked first.

    Examples: `livecart questions list`; `livecart questions list --source llm --product p-1 --json`
    """
    given = {"status": status, "source": source, "room_id": room, "product_id": product, "order": order, "cursor": cursor}
    params = {name: value for name, value in given.items() if value} | {"limit": str(limit)}
    with server(url, key) as http:
        page = http.get("/v1/questions", params=params).raise_for_status().json()
    if as_json:
        print_json(page)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "times", "product", "question", "the LLM said", box=None)
    for item in page["items"]:
        cells = (item["question_id"], item["count"], item["product_id"] or "", item["question"], item["answer"] or "")
        table.add_row(*(Text(str(cell)) for cell in cells))
    Console().print(table)
    if page["next_cursor"]:
        typer.echo(f"more: --cursor {page['next_cursor']}")


@app.command()
def answer(  # noqa: PLR0913  # a command's options
    question_id: QuestionId,
    text: Annotated[str, typer.Argument(help="The answer, as viewers will get it.")],
    question: Annotated[str, typer.Option(help="The question in better words.")] = "",
    product: Annotated[str, typer.Option(help="Product that the answer is about, if another than the question's.")] = "",
    language: Annotated[str, typer.Option(help="zh or en, if another than the question's.")] = "",
    *,
    shop_wide: Annotated[bool, typer.Option("--shop-wide", help="The answer holds for the whole shop, not for one product.")] = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Answer a question once; from then on the bank does.

    Examples: `livecart questions answer 17 "可以，30 度以下。"`; `livecart questions answer 18 "Within 48 hours." --shop-wide`
    """
    if product and shop_wide:
        fail("--product and --shop-wide exclude each other.", code=2)
    given = {"question": question, "product_id": product, "language": language}
    body: dict[str, object] = {"answer": text, **{name: value for name, value in given.items() if value}}
    if shop_wide:
        body["product_id"] = None
    with server(url, key) as http:
        document = http.post(f"/v1/questions/{_in_path(question_id)}/answer", json=body).raise_for_status().json()
    if as_json:
        print_json(document)
    else:
        typer.echo(f"document {document['document_id']}: {document['question']} -> {document['answer']}")


@app.command()
def dismiss(question_id: QuestionId, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Close a question without an answer; it stays closed however often it is asked.

    Example: `livecart questions dismiss 18`
    """
    with server(url, key) as http:
        http.post(f"/v1/questions/{_in_path(question_id)}/dismiss").raise_for_status()
    if as_json:
        print_json({"question_id": question_id, "status": "dismissed"})
    else:
        typer.echo(f"question {question_id} is dismissed")


def _in_path(question_id: str) -> str:
    from urllib.parse import quote

    return quote(question_id, safe="")
