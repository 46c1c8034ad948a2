"""`livecart train`: makes the shipped models again, or better ones. An interrupted run of the same folder is resumed."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.common import AsJson, errors_named, fail, print_json
from deployments.cli.recommender import recommender

app = typer.Typer(help="Train the models. Long runs show progress and resume.", no_args_is_help=True)
Out = Annotated[Path, typer.Option(help="Folder for the finished artifact and its manifest.")]
State = Annotated[Path, typer.Option("--run", help="Folder for checkpoints; the same folder resumes.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto.")]
Seed = Annotated[int, typer.Option(help="Same seed, same data and weights.")]
Labelled = Annotated[
    Path | None,
    typer.Option(
        help='Comments you labelled: JSONL {"sentence", "label"} a line, or CSV. None: generated ones.', exists=True, dir_okay=False
    ),
]
Generated = Annotated[bool, typer.Option("--generated", help="With --data: learn from the generated comments as well.")]
Suspects = Annotated[Path | None, typer.Option(help="With --data: write the rows here that look mislabelled, likeliest first, as JSONL.")]
CommentCredit = Annotated[str, typer.Option(help="Whose the comments are and under which licence, for the manifest.")]
Threads = Annotated[int, typer.Option(help="CPU threads.", min=1)]


def _finish(out: Path, scores: Mapping[str, float], *, as_json: bool) -> None:
    if as_json:
        print_json({"out": str(out), "scores": dict(scores)})
        return
    typer.echo(f"wrote {out}")
    for name, score in scores.items():
        typer.echo(f"  {name} {score:.4g}")


@app.command()
@errors_named()
def detector(  # noqa: PLR0913  # a command's options
    out: Out,
    run: State = Path("runs/detector"),
    steps: Annotated[int, typer.Option(min=1)] = 10_000,
    *,
    data: Annotated[Path | None, typer.Option(help="Labelled frames to show besides drawn ones: COCO, VOC or TSV.", exists=True)] = None,
    pictures: Annotated[Path | None, typer.Option(help="Where the pictures of --data lie, if not there.", exists=True)] = None,
    credit: Annotated[str, typer.Option(help="Whose the labelled frames are and under which licence, for the manifest.")] = "",
    start: Annotated[str | None, typer.Option(help="Go on from this checkpoint: a folder or hub id of any transformers detector.")] = None,
    max_minutes: Annotated[float, typer.Option(help="Squeeze the schedule to end by then.", min=0.1)] = math.inf,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Train the product detector on generated scenes: the one that ships, or any other of transformers.

    Examples: `livecart train detector --out runs/my-detector --start models/zoo/detector --data my-frames --max-minutes 60`;
    `livecart train detector --out runs/rtdetr --start PekingU/rtdetr_v2_r18vd --device cuda`
    """
    from models.training.detector import Plan, train
    from models.training.labelled import read_frames

    plan = Plan(steps=steps, seed=seed, max_minutes=max_minutes)
    frames = read_frames(data, pictures) if data is not None else []
    options = {name: path.as_posix() for name, path in (("--data", data), ("--pictures", pictures)) if path is not None}
    scores = train(out, run=run, plan=plan, start=start, frames=frames, credit=credit, options=options, device=device, threads=threads)
    _finish(out, scores, as_json=as_json)


@app.command()
@errors_named()
def embedder(  # noqa: PLR0913  # a command's options
    out: Out,
    run: State = Path("runs/embedder"),
    steps: Annotated[int, typer.Option(min=2)] = 6_000,
    *,
    photographs: Annotated[
        Path | None,
        typer.Option(help="CSV path,product_id, or a folder with one per product: photographs to train on besides drawings.", exists=True),
    ] = None,
    start: Annotated[Path | None, typer.Option(help="Folder of an embedder to train further instead of a new one.", exists=True)] = None,
    credit: Annotated[str, typer.Option(help="Whose the photographs are and under which licence, for the manifest.")] = "",
    max_minutes: Annotated[float, typer.Option(help="Squeeze the schedule to end by then.", min=0.1)] = math.inf,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Train the picture embedder that tells products apart, on drawn products and, where there are some, on photographs.

    Example: `livecart train embedder --out runs/my-embedder --photographs photographs.csv`
    """
    from models.training.embedder import Plan, train

    plan = Plan(steps=steps, seed=seed, max_minutes=max_minutes)
    scores = train(out, run=run, plan=plan, photographs=photographs, start=start, credit=credit, device=device, threads=threads)
    _finish(out, scores, as_json=as_json)


@app.command()
@errors_named()
def writer(  # noqa: PLR0913  # a command's options
    out: Out,
    run: State = Path("runs/writer"),
    steps: Annotated[int, typer.Option(min=1)] = 6_000,
    *,
    start: Annotated[Path | None, typer.Option(help="Folder of a writer to train further instead of a new one.", exists=True)] = None,
    max_minutes: Annotated[float, typer.Option(help="Squeeze the schedule to end by then.", min=0.1)] = math.inf,
    rate: Annotated[float, typer.Option(help="Highest learning rate; a third of it for going on from weights that are good.")] = 3e-3,
    compiled: Annotated[bool, typer.Option("--compile", help="Fuse the layers: minutes to begin, faster then. Needs g++.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(help='Questions of your own: JSONL {"question", "facts": [..], "answer" or null}.', exists=True, dir_okay=False),
    ] = None,
    credit: Annotated[str, typer.Option(help="Whose the questions are and under which licence, for the manifest.")] = "",
    new_tokenizer: Annotated[bool, typer.Option(help="With --start: learn the tokenizer again, for other words.")] = False,
    seed: Seed = 20261121,
    as_json: AsJson = False,
) -> None:
    """Train the language model that answers and writes scripts, on generated conversations.

    Example: `livecart train writer --out runs/my-writer --start models/zoo/writer --rate 1e-3 --max-minutes 60`
    """
    from models.training.writer import train
    from models.training.writer_plan import Material, Plan

    plan = Plan(steps=steps, seed=seed, learning_rate=rate, max_minutes=max_minutes, compiled=compiled, new_tokenizer=new_tokenizer)
    _finish(out, train(out, state_folder=run, plan=plan, material=Material(start, data, credit)), as_json=as_json)


@app.command("text-embedder")
@errors_named()
def text_embedder(out: Out, seed: Seed = 7, *, as_json: AsJson = False) -> None:
    """Train the embedder that finds products and knowledge by text.

    Example: `livecart train text-embedder --out runs/my-text-embedder`
    """
    from models.training.text_embedder import train

    _finish(out, train(out, seed=seed), as_json=as_json)


@app.command()
@errors_named()
def reranker(
    out: Out,
    pairs: Annotated[Path | None, typer.Option(help="JSONL of questions with the evidence that answers them, to learn from.")] = None,
    calibrate: Annotated[list[Path] | None, typer.Option(help="Data as of `evaluate retrieval`, for probabilities; may repeat.")] = None,
    credit: Annotated[str, typer.Option(help="Whose the pairs are and under which licence, for the manifest.")] = "",
    seed: Seed = 7,
    *,
    as_json: AsJson = False,
) -> None:
    """Train the re-ranker, which judges whether a passage answers a question, on generated questions and on your own pairs.

    A pair: {"question", "evidence", "product", "answer"}; the answer may be missing. See docs/retrieval.md.

    Example: `livecart train reranker --out runs/my-reranker --pairs pairs.jsonl --calibrate questions.jsonl`
    """
    from models.training.reranker import train

    _finish(out, train(out, pairs=pairs, calibrate=calibrate or [], credit=credit, seed=seed), as_json=as_json)


@app.command()
@errors_named()
def intent(  # noqa: PLR0913  # a command's options
    out: Out,
    data: Labelled = None,
    *,
    generated: Generated = False,
    suspects: Suspects = None,
    credit: CommentCredit = "",
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Train the classifier of what a comment wants: on comments that you labelled, or the one that ships on generated ones.

    Examples: `livecart train intent --out runs/my-intent --data labelled.jsonl --suspects suspects.jsonl`;
    `livecart train intent --out runs/intent`
    """
    from models.training.classifier import plan_for, train_on_file
    from models.training.intent import NAME, generated_intents, train

    if data is None:
        _only_with_data(generated=generated, suspects=suspects)
        _finish(out, train(out, seed=seed), as_json=as_json)
        return
    beside = generated_intents(seed=seed) if generated else []
    scores = train_on_file(out, data, name=NAME, plan=plan_for(NAME, seed), beside=beside, suspects=suspects, credit=credit)
    _finish(out, scores, as_json=as_json)


@app.command()
@errors_named()
def sentiment(  # noqa: PLR0913  # a command's options
    out: Out,
    data: Labelled = None,
    *,
    reviews: Annotated[
        Path | None,
        typer.Option(help="Folder with pos.txt and neg.txt, besides the generated comments.", exists=True, file_okay=False),
    ] = None,
    generated: Generated = False,
    suspects: Suspects = None,
    credit: CommentCredit = "",
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Train the classifier of how a comment feels: on comments that you labelled, or the one that ships on generated ones.

    Example: `livecart train sentiment --out runs/my-sentiment --data labelled.csv`
    """
    from models.training.classifier import plan_for, train_on_file
    from models.training.sentiment import NAME, generated_sentiments, train

    if data is None:
        _only_with_data(generated=generated, suspects=suspects)
        _finish(out, train(out, reviews=reviews, seed=seed), as_json=as_json)
        return
    if reviews is not None:
        fail("--reviews joins the generated comments; with --data there are none of it", code=2)
    beside = generated_sentiments(seed=seed) if generated else []
    scores = train_on_file(out, data, name=NAME, plan=plan_for(NAME, seed), beside=beside, suspects=suspects, credit=credit)
    _finish(out, scores, as_json=as_json)


def _only_with_data(*, generated: bool, suspects: Path | None) -> None:
    if generated or suspects is not None:
        fail("--generated and --suspects go with --data", code=2)


app.command("recommender")(errors_named()(recommender))
