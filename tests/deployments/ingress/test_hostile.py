"""No input gets anything but a 4xx with the error object."""


import httpx

from tests.hostile import HOSTILE


async def test_hostile_requests_are_refused_and_change_nothing(shop: httpx.AsyncClient) -> None:
    before = [(await shop.get(path)).text for path in ("/v1/products", "/v1/rooms", "/v1/knowledge", "/v1/viewers/V-1")]
    problems: list[str] = []
    for case in HOSTILE:
        try:
            case.check(await case.send(shop))
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)
    assert [(await shop.get(path)).text for path in ("/v1/products", "/v1/rooms", "/v1/knowledge", "/v1/viewers/V-1")] == before


def test_names_in_the_table_are_unique() -> None:
    names = [case.name for case in HOSTILE]
    assert len(set(names)) == len(names)
    assert len(names) >= 60
