"""Stands in for the HAProxy binary: corrects the configuration that Ray generated, then becomes the real one.

Ray starts the file named by `RAY_SERVE_HAPROXY_BINARY_PATH` with `-f CONFIGURATION`, at first and at each change of the backends. What
Ray's template lacks: times within which a caller has to send and to read, limits on connections, statistics and metrics that not
everybody can read (they get UNIX sockets instead of ports on every interface), a front end on another address than the replicas', the
caller's address for the ingress, answers in the project's error form when no replica can be reached, one request id (Ray adds a second to
each answer), one replica for all sessions of a room, and a front end without Ray's own routes. What is not even HTTP gets HAProxy's own
400, and headers that do not end its own 408, which no setting replaces. Standard library only, since it runs without site-packages to
start in milliseconds.
"""

import ctypes
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1


def error_body(code: str, message: str, kind: str) -> str:
    return json.dumps({"error": {"code": code, "message": message, "type": kind, "param": None, "details": []}})


LIMITS_VARIABLE = "LIVECART_FRONT_LIMITS"  # `deployments.settings.FrontSettings` as JSON
UNAVAILABLE = error_body("unavailable", "no replica can answer now", "server_error")
CUT_OFF = error_body("invalid_request", "the request did not arrive whole", "invalid_request_error")
NO_ROUTE = error_body("not_found", "no such route; GET /openapi.json lists them", "not_found_error")
SANE_REQUEST_ID = "^[A-Za-z0-9._:/+=@-]{1,128}$"  # as the ingress has it; Ray echoes whatever it gets
IS_SESSION = "{ path,url_dec -m beg /v1/rooms/ } { path,url_dec -m end /session }"  # decoded, as the replica reads it
READ_AHEAD = "x-request-disconnect-disabled"  # with `?1` Ray does not read ahead of the application to learn of the caller's end
FRONT_RULES = (
    f"http-request return status 404 content-type application/json string '{NO_ROUTE}' if {{ path,url_dec -m beg /-/ }}",
    f"http-request del-header {READ_AHEAD}",
    f"http-request del-header x-request-id unless {{ req.fhdr(x-request-id) -m reg {SANE_REQUEST_ID} }}",
    "http-response set-header x-request-id %[res.fhdr(x-request-id,1)] if { res.fhdr_cnt(x-request-id) gt 1 }",
)
ROOM_RULES = (
    # the sessions of a room find what the replica remembers of it, and are counted together
    "stick-table type string len 256 size 100k expire 1d",
    f"stick on path,url_dec if {IS_SESSION}",
    # what Ray reads ahead waits in a queue without a bound; a session reads all the time, and so learns itself who has left
    f"http-request set-header {READ_AHEAD} ?1 if {IS_SESSION}",
)


def rewrite(config: str, *, front_host: str, front_port: str, sockets: Path) -> str:
    """Binds `:PORT` to `sockets/PORT.sock` and the front end to `front_host`; forwards the peer; 503 as JSON before the first deploy."""
    config = re.sub(r"^(\s*bind )\*?:(\d+)", rf"\g<1>unix@{sockets}/\2.sock mode 600", config, flags=re.MULTILINE)
    front = "".join(rf"\n\1{rule}" for rule in FRONT_RULES)
    bound = rf"\1bind {front_host}:{front_port}\2{front}"
    config = re.sub(rf"^(\s*)bind 127\.0\.0\.1:{front_port}\b(.*)$", bound, config, flags=re.MULTILINE)
    sticky = "".join(f"    {rule}\n" for rule in ROOM_RULES)
    config = re.sub(r"^(backend (?!default_backend$)\S+\n)(?!    stick-table)", rf"\1{sticky}", config, flags=re.MULTILINE)
    config = re.sub(r"^(\s*)option httplog$", r"\1option httplog\n\1option forwardfor", config, count=1, flags=re.MULTILINE)
    not_found = r"^(\s*)http-request return status 404 content-type text/plain lf-string .*$"
    answer = rf"\1http-request return status 503 content-type application/json string '{UNAVAILABLE}' hdr Retry-After 1"
    return re.sub(not_found, answer, config, flags=re.MULTILINE)


def bounded(config: str, limits: Mapping[str, float | None], *, cut_off: Path) -> str:
    """With the times and numbers of connections that `FrontSettings` allows; `cut_off` holds the answer to a request whose body stops."""
    times = {
        "http-request": limits["headers_s"],
        "http-keep-alive": limits["idle_s"],
        "client": limits["stalled_s"],
        "tunnel": limits["silent_s"],
    }
    names = "|".join(times)
    config = re.sub(rf"^ *timeout ({names}) .*\n", "", config, flags=re.MULTILINE)
    lines = [*(f"timeout {name} {round((limit or 0) * 1_000)}ms" for name, limit in times.items()), f"errorfile 400 {cut_off}"]
    config = re.sub(r"^defaults\n", "".join(["defaults\n", *(f"    {line}\n" for line in lines)]), config, count=1, flags=re.MULTILINE)
    most = f"maxconn {limits['max_connections']}"
    config = re.sub(r"^( *)maxconn \d+$", rf"\1{most}", config, count=1, flags=re.MULTILINE)
    rules = [most, *_per_address(limits["max_connections_per_address"])]
    front = "".join(["frontend http_frontend\n", *(f"    {rule}\n" for rule in rules)])
    return re.sub(r"^frontend http_frontend\n", front, config, count=1, flags=re.MULTILINE)


def _per_address(most: float | None) -> list[str]:
    if most is None:
        return []
    return [
        "stick-table type ipv6 size 100k expire 1m store conn_cur",
        "tcp-request connection track-sc0 src",
        f"tcp-request connection reject if {{ sc0_conn_cur gt {most} }}",
    ]


def error_response() -> str:
    """The raw HTTP answer for 502, 503 and 504."""
    return _raw("503 Service Unavailable", UNAVAILABLE, "Retry-After: 1")


def cut_off_response() -> str:
    """The raw HTTP answer to a body that does not come."""
    return _raw("400 Bad Request", CUT_OFF, "Connection: close")


def _raw(status: str, body: str, header: str) -> str:
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", header, f"Content-Length: {len(body)}", "", body])


def main(arguments: list[str]) -> None:
    """Never returns. Keeps its process id, which Ray watches, and dies with the actor that started it."""
    path = Path(arguments[arguments.index("-f") + 1])
    front_host, front_port = os.environ["LIVECART_FRONT_HOST"], os.environ["LIVECART_FRONT_PORT"]
    # not the folder of the configuration, whose name is so long that a socket in it could not be bound
    config = rewrite(path.read_text(encoding="utf-8"), front_host=front_host, front_port=front_port, sockets=path.parent.parent)
    cut_off = path.parent / "400.http"
    cut_off.write_text(cut_off_response(), encoding="utf-8", newline="")
    config = bounded(config, json.loads(os.environ[LIMITS_VARIABLE]), cut_off=cut_off)
    path.write_text(config, encoding="utf-8")
    (path.parent / "500.http").write_text(error_response(), encoding="utf-8", newline="")
    # an orphaned front end would hold the port and answer 503 to everybody
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    binary = os.environ["LIVECART_HAPROXY_BINARY"]
    os.execv(binary, [binary, *arguments])  # noqa: S606  # the point of this file


if __name__ == "__main__":
    main(sys.argv[1:])
