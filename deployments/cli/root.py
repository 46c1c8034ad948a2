"""Puts the groups together."""

import typer

from deployments.cli import data, demo, evaluate, graphs, index, keys, knowledge, platform, questions, recognize, train
from deployments.cli.common import asking
from livecart_client.cli import register

app = typer.Typer(
    name="livecart",
    help="The AI of a live shopping room: see products, answer viewers, write for the host, recommend.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
platform.register(app)
register(app, asking(), "ask", "recommend", "script", "room")
recognize.register(app)
app.add_typer(data.catalog, name="catalog")
app.add_typer(data.events, name="events")
app.add_typer(demo.app, name="demo")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(graphs.app, name="graphs")
app.add_typer(index.app, name="index")
app.add_typer(keys.app, name="keys")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(questions.app, name="questions")
app.add_typer(train.app, name="train")


def main() -> None:
    """Entry point of the command `livecart`."""
    app()
