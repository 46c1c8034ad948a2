"""`livecart recognize`: the products in a picture, a video file or a stream, seen by a running server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import AsJson, Key, Url, asking, fail, print_json, server

if TYPE_CHECKING:
    import httpx

    from deployments.video.run import Wishes
    from deployments.video.timeline import Outcome

Source = Annotated[str, typer.Argument(help="A picture (JPEG, PNG, WebP), a video file, or an RTMP, HLS or HTTP address.")]
Room = Annotated[str, typer.Option("--room", help="Only products on this room's shelf are recognised.")]
Fps = Annotated[float, typer.Option("--fps", help="Frames that are sent for each second of video, at most.", min=0.01, max=60)]
Out = Annotated[Path | None, typer.Option("--out", help="Write the video with boxes and titles: .mp4, .mkv or .webm.")]
Seconds = Annotated[float | None, typer.Option("--seconds", help="Stop after so much of the video.", min=0.1)]
FontFile = Annotated[Path | None, typer.Option("--font", help="Font for the titles; by default one of the system's that has Chinese.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file of --out.")]
OF_VIDEO = ("fps", "out", "seconds", "font", "force")
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Ask a running server")(recognize)


def recognize(  # noqa: PLR0913  # a command's options
    source: Source,
    room: Room = "",
    fps: Fps = 2.0,
    out: Out = None,
    seconds: Seconds = None,
    font: FontFile = None,
    *,
    context: typer.Context,
    force: Force = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Find the products in a picture, or follow them through a video or a live stream.

    A video ends with a timeline: which product was shown from when to when. Ctrl-C ends a stream in order: the file of --out is completed.

    Examples: `livecart recognize frame.jpg --room room-1`; `livecart recognize show.mp4 --room room-1 --out annotated.mp4`;
    `livecart recognize rtmp://host/live/room-1 --fps 4 --seconds 600 --json`; `livecart recognize https://host/live.m3u8`
    """
    if _is_picture(source):
        _refuse_video_options(context, source)
        asking().recognize(Path(source), room, url=url, key=key, as_json=as_json)
        return
    from deployments.video.errors import VideoError
    from deployments.video.run import Wishes

    wishes = Wishes(source, room=room, fps=fps, seconds=seconds, out=out, font=font, force=force)
    try:
        with server(url, key) as http:
            outcome = _recognize_video(wishes, http)
    except VideoError as error:
        fail(str(error))
    if as_json:
        print_json(outcome.to_dict())
    else:
        _print_timeline(outcome)


def _refuse_video_options(context: typer.Context, picture: str) -> None:
    sources = {name: context.get_parameter_source(name) for name in OF_VIDEO}
    given = [f"--{name}" for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        fail(f"{picture} is a picture, and {', '.join(given)} only for videos: leave out what does not apply", code=2)


def _recognize_video(wishes: "Wishes", http: "httpx.Client") -> "Outcome":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from deployments.video.run import recognize_video
    from deployments.video.stopping import stop_on_signal

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.1f} s of video"), TimeElapsedColumn())
    with stop_on_signal() as stop, Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("recognising", total=None)

        def show(time_s: float, length_s: float | None) -> None:
            progress.update(task, completed=time_s, total=length_s)

        return recognize_video(wishes, http, stop, show)


def _print_timeline(outcome: "Outcome") -> None:
    from rich.console import Console
    from rich.table import Table

    from deployments.video.timeline import clock

    table = Table("order", "product", "title", "from", "to", "dwell", box=None)
    for display in outcome.displays:
        dwell = f"{display.dwell_s:.1f} s"
        table.add_row(str(display.order), display.product_id, display.title, clock(display.from_s), clock(display.to_s), dwell)
    console = Console(highlight=False, markup=False)
    if outcome.displays:
        console.print(table)
    else:
        console.print("no product was shown")
    console.print(f"{outcome.frames_read} frames read ({clock(outcome.length_s)}), {outcome.frames_sent} sent", soft_wrap=True)
    if outcome.frames_dropped:
        console.print(f"{outcome.frames_dropped} were not sent: the server is slower than the stream", soft_wrap=True)
    if outcome.frames_skipped:
        console.print(f"{outcome.frames_skipped} were skipped: this machine is slower than the stream", soft_wrap=True)
    if outcome.damage:
        console.print(f"not all of it could be read: {outcome.damage}", soft_wrap=True)
    if outcome.out:
        console.print(f"wrote {outcome.out}", soft_wrap=True)


def _is_picture(source: str) -> bool:
    """Whether it is a file that begins as JPEG, PNG and WebP do."""
    path = Path(source)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(MAGIC) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")
