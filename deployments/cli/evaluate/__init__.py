"""`livecart evaluate`: what the models are worth on your own data. Nothing leaves this machine; no server is needed."""

import typer

from deployments.cli.evaluate import answers, eye, intent, recommender, retrieval

app = typer.Typer(help="Measure the models on your own data.", no_args_is_help=True)
app.command()(eye.detector)
app.command()(eye.recognition)
app.command()(answers.answers)
app.command()(retrieval.retrieval)
app.command()(intent.intent)
app.command()(intent.sentiment)
app.command()(recommender.recommender)
