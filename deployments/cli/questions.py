"""`livecart questions`: what viewers asked and nobody, or only the LLM, answered; editors answer it here into the bank."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from deployments.cli.common import AsJson, Key, Url, fail, print_json, server_url
from livecart_client.cli import calling, plain

if TYPE_CHECKING:
    from livecart_client.core.options import QuestionAnswerOptions, QuestionPageOptions

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
    options = cast("QuestionPageOptions", {name: value for name, value in given.items() if value})  # the server knows which there are
    options["limit"] = limit
    with calling(server_url(url), key) as client:
        page = client.questions.page(**options)
    if as_json:
        print_json(plain(page))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "times", "product", "question", "the LLM said", box=None)
    for item in page.items:
        cells = (item.question_id, item.count, item.product_id or "", item.question, item.answer or "")
        table.add_row(*(Text(str(cell)) for cell in cells))
    Console().print(table)
    if page.next_cursor:
        typer.echo(f"more: --cursor {page.next_cursor}")


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
    options = cast("QuestionAnswerOptions", {name: value for name, value in given.items() if value})
    if shop_wide:
        options["product_id"] = None
    with calling(server_url(url), key) as client:
        document = client.questions.answer(question_id, text, **options)
    if as_json:
        print_json(plain(document))
    else:
        typer.echo(f"document {document.document_id}: {document.question} -> {document.answer}")


@app.command()
def dismiss(question_id: QuestionId, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Close a question without an answer; it stays closed however often it is asked.

    Example: `livecart questions dismiss 18`
    """
    with calling(server_url(url), key) as client:
        client.questions.dismiss(question_id)
    if as_json:
        print_json({"question_id": question_id, "status": "dismissed"})
    else:
        typer.echo(f"question {question_id} is dismissed")
