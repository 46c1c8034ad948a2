"""What can be told of a pattern without running it. Reads Python's own parse of it."""

import re
from collections.abc import Iterable, Iterator
from re import _constants as codes  # type: ignore[attr-defined]  # the parser has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Parsed = Iterable[tuple[Any, Any]]
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_MANY = 8  # members of a class that are still worth looking for one by one


def unbounded(pattern: str) -> bool:
    """Whether something may repeat without end: then a match may take more than a bounded number of steps."""
    return any(code in _REPEATS and argument[1] == codes.MAXREPEAT for code, argument in _everything(parser.parse(pattern, re.ASCII)))


def needs(pattern: str) -> list[str]:
    """Words of which one is in every match, sorted; the rarest set that can be told, empty when none can."""
    found = _needed(parser.parse(pattern, re.ASCII)) or frozenset()
    return sorted(word for word in found if not any(other != word and other in word for other in found))


def _everything(parsed: Parsed) -> Iterator[tuple[Any, Any]]:
    for code, argument in parsed:
        yield code, argument
        for inner in _inside(code, argument):
            yield from _everything(inner)


def _inside(code: Any, argument: Any) -> list[Parsed]:  # noqa: ANN401 - the parser's own tree
    if code in _REPEATS:
        return [argument[2]]
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code is codes.BRANCH:
        return list(argument[1])
    return [argument[1]] if code in (codes.ASSERT, codes.ASSERT_NOT) else []


def _needed(parsed: Parsed) -> frozenset[str] | None:
    """The best of what each part of a sequence needs."""
    choices: list[frozenset[str]] = []
    run = ""
    for code, argument in [*parsed, (None, None)]:
        if code is codes.LITERAL:
            run += chr(argument)
        elif code not in (codes.ASSERT, codes.ASSERT_NOT, codes.AT):
            choices += [frozenset({run})] if run.strip() else []
            run = ""
            part = _part(code, argument)
            choices += [part] if part else []
    return max(choices, key=lambda words: 10 * min(3, *map(len, words)) - len(words), default=None)


def _part(code: Any, argument: Any) -> frozenset[str] | None:  # noqa: ANN401
    if code is codes.SUBPATTERN or (code in _REPEATS and argument[0] >= 1):
        return _needed(_inside(code, argument)[0])
    if code is codes.BRANCH:
        ways = [_needed(way) for way in argument[1]]
        return None if None in ways else frozenset().union(*(way for way in ways if way))
    if code is codes.IN and len(argument) <= _MANY and all(member is codes.LITERAL for member, _ in argument):
        members = frozenset(chr(value) for _, value in argument)
        return members if " " not in members else None
    return None
