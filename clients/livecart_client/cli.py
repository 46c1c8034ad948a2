"""The commands that ask a running server: `livecart ask|recognize|recommend|script|room`.

They need typer (`pip install livecart-client[cli]`). The project's own command line has them too, beside many others.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from livecart_client import Client, LivecartError, wire
    from livecart_client.sync.session import Session

LONGEST_S = 120.0
Url = Annotated[str, typer.Option(envvar="LIVECART_URL", help="The server. Empty: the one of this machine.")]
Key = Annotated[str, typer.Option(envvar=["LIVECART_KEY", "LIVECART_API_KEY"], help="API key, where the server has keys.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Room = Annotated[str, typer.Option("--room", help="Room in which this happens.")]
PANEL = "Ask a running server"


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Ends the command: the message on standard error, the code for the shell."""
    typer.secho(message, err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def plain(value: "BaseModel") -> object:
    """A reply as the server sent it."""
    return value.model_dump(mode="json", exclude_unset=True)


@contextmanager
def calling(url: str, key: str) -> "Iterator[Client]":
    """A client of a running server; a server that is not there or refuses ends the command with its own words."""
    from livecart_client import Client, errors  # noqa: PLC0415  # `--help` does not wait for an HTTP client

    with Client(url, api_key=key or None, timeout_s=LONGEST_S) as client:
        try:
            yield client
        except errors.Unreachable as error:
            fail(f"no answer from {url}: {error.message}. Is it running? `livecart up` starts it.")
        except errors.LivecartError as error:
            fail(refusal(error))


def refusal(error: "LivecartError") -> str:
    """The server's error in one line, with its first details."""
    first = f"{error.status or ''} {error.code}: {error.message}".strip()
    return "\n".join([first, *(f"  {detail}" for detail in error.details[:5])])


class Commands:
    """`find` tells the address of the server when none is given."""

    def __init__(self, find: Callable[[str], str]) -> None:
        self._find = find

    def ask(
        self,
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
        with calling(self._find(url), key) as client:
            reply = client.answer(question, product_id=product or None, room_id=room or None)
        if as_json:
            print_json(plain(reply))
            return
        typer.echo(reply.answer)
        for citation in reply.citations:
            typer.echo(f"  [{citation.kind} {citation.source_id}] {citation.text}")

    def recognize(
        self,
        picture: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP.", exists=True, dir_okay=False)],
        room: Annotated[str, typer.Option("--room", help="Only products on this room's shelf are recognised.")] = "",
        *,
        url: Url = "",
        key: Key = "",
        as_json: AsJson = False,
    ) -> None:
        """Find the products in a picture.

        Example: `livecart recognize frame.jpg --room room-1`
        """
        with calling(self._find(url), key) as client:
            reply = client.recognize(picture, room_id=room) if room else client.recognize(picture)
        if as_json:
            print_json(plain(reply))
            return
        for seen in reply.products:
            typer.echo(_seen(seen))
        if not reply.products:
            typer.echo("no product seen")

    def recommend(  # noqa: PLR0913  # a command's options
        self,
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
        with calling(self._find(url), key) as client:
            found: wire.RoomsReply | wire.RecommendReply
            if rooms:
                found = client.recommend_rooms(viewer, k=count)
                lines = [_chosen(item.room_id, item) for item in found.rooms]
            else:
                found = client.recommend_products(viewer, k=count, room_id=room or None)
                lines = [_chosen(item.product_id, item) for item in found.items]
        if as_json:
            print_json(plain(found))
            return
        for line in lines:
            typer.echo(line)

    def script(  # noqa: PLR0913  # a command's options
        self,
        products: Annotated[list[str], typer.Argument(help="Products to present, in this order.")],
        seconds: Annotated[float, typer.Option(help="How long the host is to speak.", min=10, max=3_600)] = 90,
        language: Annotated[str, typer.Option(help="zh or en; by default that of most products' titles.")] = "",
        style: Annotated[str, typer.Option(help="How it should sound.")] = "",
        *,
        url: Url = "",
        key: Key = "",
        as_json: AsJson = False,
    ) -> None:
        """Write what the host says.

        Examples: `livecart script sku-1044 sku-1051 --seconds 60`; `livecart script sku-1044 --language en --json`
        """
        with calling(self._find(url), key) as client:
            reply = client.script(products, duration_s=seconds, language=_language(language), style=style or None)
        if as_json:
            print_json(plain(reply))
            return
        for segment in reply.segments:
            typer.echo(f"[{segment.kind}, {segment.seconds:.0f} s] {segment.text}")
        for finding in reply.compliance.findings:
            typer.echo(f"  {finding.rule}: {finding.text} ({finding.suggestion})", err=True)

    def room(  # noqa: PLR0913  # a command's options
        self,
        room_id: Annotated[str, typer.Argument(help="The room.")],
        frame: Annotated[list[Path] | None, typer.Option(help="A picture to show; several are shown in turn.", exists=True)] = None,
        ask: Annotated[list[str] | None, typer.Option(help="A comment; may be given again.")] = None,
        viewer: Annotated[str, typer.Option(help="Who comments: a viewer that the server knows, from any event. Needed by --ask.")] = "",
        fps: Annotated[float, typer.Option(help="Pictures a second.", min=0.1, max=10)] = 2.0,
        seconds: Annotated[float, typer.Option(help="How long to listen.", min=0.1)] = 10.0,
        *,
        url: Url = "",
        key: Key = "",
        as_json: AsJson = False,
    ) -> None:
        """Open a room's session: show pictures, ask, and print what is shown and said. `--json` prints one object a message.

        With pictures the comments are sent once it is known what they show, or after half of the time. Ends with 1 when a comment
        stays without a reply.

        Example: `livecart room room-06 --frame frame.jpg --ask "How much is it?" --viewer viewer-00001 --seconds 5`
        """
        if ask and not viewer:
            fail(
                "--ask needs --viewer: who comments is a viewer that the server knows, by any event of theirs (an `enter` is enough)",
                code=2,
            )
        pictures = [path.read_bytes() for path in frame or ()]
        with calling(self._find(url), key) as client, client.session(room_id) as session:
            asking = _Asking(session, ask or (), viewer)
            for event in _listened(session, asking, pictures, 1 / fps, seconds):
                shown = json.dumps(plain(event), ensure_ascii=False) if as_json else _told(event)
                if shown:
                    typer.echo(shown)
        if asking.unanswered:
            fail(f"without a reply: {'; '.join(asking.unanswered)}")


class _Asking:
    """The comments of a command, and which of them have no reply."""

    def __init__(self, session: "Session", texts: Sequence[str], viewer: str) -> None:
        self._session = session
        self._viewer = viewer
        self._waiting = list(texts)
        self._sent: dict[str, str] = {}

    def send(self) -> None:
        """Send those that were not."""
        while self._waiting:
            text = self._waiting.pop(0)
            self._sent[self._session.comment(text, self._viewer)] = text

    def hear(self, event: "wire.SessionEvent") -> None:
        if event.type == "products":
            self.send()
        elif event.type == "reply":
            self._sent.pop(event.comment_id, None)

    @property
    def unanswered(self) -> list[str]:
        return [*self._sent.values(), *self._waiting]


def _listened(session: "Session", asking: _Asking, pictures: list[bytes], apart_s: float, for_s: float) -> "Iterator[wire.SessionEvent]":
    """What is heard while the pictures are shown in turn."""
    now_s = time.monotonic()
    ends_s, next_s = now_s + for_s, now_s
    ask_s = now_s + for_s / 2 if pictures else now_s
    turn = itertools.cycle(pictures)
    while (now_s := time.monotonic()) < ends_s:
        if pictures and now_s >= next_s:
            session.frame(next(turn))
            next_s = now_s + apart_s
        if now_s >= ask_s:
            asking.send()
        event = session.receive(max(min(ends_s, next_s if pictures else ends_s) - now_s, 0.001))
        if event is not None:
            asking.hear(event)
            yield event


def _told(event: "wire.SessionEvent") -> str:
    """A message in words; nothing for the pieces of an answer, which the answer repeats."""
    match event.type:
        case "products":
            return "\n".join(map(_seen, event.products)) or "nothing is shown"
        case "reply":
            return f"{event.comment_id}: {event.answer}"
        case "recommendations":
            return f"for {event.viewer_id}: {', '.join(item.product_id for item in event.items)}"
        case "error":
            return f"{event.error.code}: {event.error.message}"
        case _:
            return ""


def _seen(seen: "wire.SeenProduct") -> str:
    best = next((f"{match.product_id} {match.title} ({match.similarity:.2f})" for match in seen.matches), "no match")
    return f"{seen.category} {seen.score:.2f} at {[round(side) for side in seen.box]}: {best}"


def _chosen(name: str, item: "wire.RecommendedProduct | wire.RecommendedRoom") -> str:
    return f"{name} {item.score:.3f}  {'; '.join(reason.text or reason.kind for reason in item.reasons)}"


def _language(given: str) -> Literal["zh", "en"] | None:
    match given:
        case "":
            return None
        case "zh" | "en":
            return given
    fail(f"--language is zh or en, not {given}", code=2)


def register(app: typer.Typer, commands: Commands, *names: str) -> None:
    for name in names:
        app.command(name, rich_help_panel=PANEL)(getattr(commands, name))


def main() -> None:
    """Entry point of `livecart` where only the client is installed."""
    from livecart_client.core.settings import DEFAULT_URL  # noqa: PLC0415

    app = typer.Typer(name="livecart", help="Ask a livecart server.", no_args_is_help=True, add_completion=False)
    register(app, Commands(lambda url: url or DEFAULT_URL), "ask", "recognize", "recommend", "script", "room")
    app()
