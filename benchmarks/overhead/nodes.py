"""The graph that every server serves: A reads the body, B and C read A's answer together, the caller gets both of theirs.

    body (20 KiB) -> A -> vector (1 KiB) -> B, C -> {"b": ..., "c": ...}

`noop` nodes do nothing; `work` nodes multiply matrices for a few milliseconds, as a small model would.
"""

from collections.abc import Callable

import numpy as np

BODY_BYTES = 20 * 1024
VECTOR_BYTES = 1024
SIDE = 128  # of the matrices
ROUNDS = {"a": 16, "b": 10, "c": 10}  # 4.2 MFLOP each

KINDS = ("noop", "work")

Step = Callable[[bytes], bytes]


def noop(value: bytes) -> bytes:
    """A kibibyte of the value."""
    return value[:VECTOR_BYTES]


def worker(node: str) -> Step:
    """A function that takes a kibibyte of the value through some layers and answers a kibibyte."""
    weights = np.random.default_rng(7).standard_normal((SIDE, SIDE), dtype=np.float32) / np.float32(np.sqrt(SIDE))
    rounds = ROUNDS[node]

    def work(value: bytes) -> bytes:
        vector = np.frombuffer(value[:VECTOR_BYTES], dtype=np.uint8).astype(np.float32)
        state = np.resize(vector / 255, (SIDE, SIDE))
        for _ in range(rounds):
            state = np.tanh(state @ weights)
        return state.tobytes()[:VECTOR_BYTES]

    return work


def steps(kind: str) -> dict[str, Step]:
    """The three nodes' functions by name; `kind` is `noop` or `work`."""
    return {node: noop if kind == "noop" else worker(node) for node in ROUNDS}


def merged(b: bytes, c: bytes) -> dict[str, int]:
    return {"b": sum(b[:4]), "c": sum(c[:4])}
