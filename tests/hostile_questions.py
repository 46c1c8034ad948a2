"""The part of the hostile table about questions and their editors' answers."""

from tests.hostile_requests import MIB, body, get, raw

QUESTION = "/v1/questions/404404404"
QUESTIONS = [
    *[
        get(f"question {name}", f"/v1/questions/{written}", 404)
        for name, written in (
            ("unknown", "404404404"),
            ("of a word", "all"),
            ("of a negative number", "-1"),
            ("with a leading zero", "01"),
            ("beyond 64 bits", "9" * 30),
            ("in other digits", "%D9%A1%D9%A2"),
            ("of a superscript", "%C2%B2"),
        )
    ],
    get("question with a NUL", "/v1/questions/1%00"),
    get("question that climbs", "/v1/questions/..%2F..%2Fetc%2Fpasswd", 400, 404),
    get("question of dots", "/v1/questions/%2E%2E", 400, 404),
    get("question of 129 characters", "/v1/questions/" + "1" * 129),
    get("questions of another status", "/v1/questions?status=closed"),
    get("questions of another source", "/v1/questions?source=bank"),
    get("questions in another order", "/v1/questions?order=by_price"),
    get("questions in a path for a room", "/v1/questions?room_id=..%2Fetc"),
    get("questions about a NUL", "/v1/questions?product_id=%00"),
    get("questions, limit of zero", "/v1/questions?limit=0"),
    get("questions, cursor of another list", "/v1/questions?cursor=UC0x"),
    get("answer read", f"{QUESTION}/answer", 405),
    body("answer of a number", f"{QUESTION}/answer", {"answer": 5}),
    body("answer of nothing", f"{QUESTION}/answer", {}),
    body("blank answer", f"{QUESTION}/answer", {"answer": " \u3000"}),
    body("answer with a NUL", f"{QUESTION}/answer", {"answer": "a\0b"}),
    body("answer without end", f"{QUESTION}/answer", {"answer": "a" * 20_001}),
    body("answer to a question without end", f"{QUESTION}/answer", {"answer": "a", "question": "a" * 2_001}),
    body("answer about a path", f"{QUESTION}/answer", {"answer": "a", "product_id": "../x"}),
    body("answer with a viewer", f"{QUESTION}/answer", {"answer": "a", "viewer_id": "V-1"}),
    body("answer in Klingon", f"{QUESTION}/answer", {"answer": "a", "language": "tlh"}),
    body("answer to an unknown question", f"{QUESTION}/answer", {"answer": "a"}, 404),
    raw("2 MiB of answer", f"{QUESTION}/answer", b'{"answer": "' + b"a" * (2 * MIB) + b'"}', 413),
    get("unknown question, dismissed", f"{QUESTION}/dismiss", 404, method="POST"),
    get("question deleted", QUESTION, 405, method="DELETE"),
]
