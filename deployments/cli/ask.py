"""`livecart ask` and `recommend`: one call of a running server, for a look without writing code."""

from typing import Annotated

import typer

from deployments.cli.common import AsJson, Key, Url, print_json, server

Room = Annotated[str, typer.Option("--room", help="Room in which this happens.")]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Ask a running server")(ask)
    app.command(rich_help_panel="Ask a running server")(recommend)


def ask(
    question: str,
    product: Annotated[str, typer.Option(help="Product that the question is about.")] = "",
    room: Room = "",
    *,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Ask what a viewer would ask.

    Examples: `livecart ask "Is it waterproof?" --product p-001`; `livecart ask "包邮吗" --room room-1 --json`
    """
    body = {name: value for name, value in {"question": question, "product_id": product, "room_id": room}.items() if value}
    with server(url, key) as http:
        answer = http.post("/v1/answer", json=body).raise_for_status().json()
    if as_json:
        print_json(answer)
        return
    typer.echo(answer["answer"])
    for citation in answer["citations"]:
        typer.echo(f"  [{citation['kind']} {citation['source_id']}] {citation['text']}")


def recommend(  # noqa: PLR0913  # a command's options
    viewer: str,
    count: Annotated[int, typer.Option("-k", "--count", min=1, max=100)] = 10,
    room: Room = "",
    *,
    rooms: Annotated[bool, typer.Option("--rooms", help="Rooms to enter instead of products.")] = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """What a viewer may want to buy, or which room to enter.

    Examples: `livecart recommend viewer-7`; `livecart recommend viewer-7 --rooms -k 3`
    """
    body: dict[str, object] = {"viewer_id": viewer, "k": count}
    if room and not rooms:
        body["room_id"] = room
    with server(url, key) as http:
        answer = http.post("/v1/recommend/rooms" if rooms else "/v1/recommend/products", json=body).raise_for_status().json()
    if as_json:
        print_json(answer)
        return
    for item in answer["rooms" if rooms else "items"]:
        reasons = "; ".join(reason.get("text", reason["kind"]) for reason in item["reasons"])
        typer.echo(f"{item.get('product_id') or item.get('room_id')} {item['score']:.3f}  {reasons}")
