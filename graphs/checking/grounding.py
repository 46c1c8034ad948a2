"""Which figures of a text have no support in the evidence: prices, percentages, numbers with units, ratings such as IP67."""

import re
from collections.abc import Sequence

from graphs.reading.figures import Figure, figures_in, folded, plain_values, with_each_unit

_ALWAYS_FINE = 9  # plain counts up to this, without a unit, are ways of speaking (two steps, 3 friends)
_RATING = re.compile(r"(?<![a-z0-9])(?:spf|ipx?|ra|fp|pa)\s?\d+\+*", re.IGNORECASE)


def ungrounded(text: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The figures of `text` that no evidence states, as they stand in the NFKC form of the text, in order, without repeats.

    A figure is supported by the same value in the same unit (1 kg supports 1000 g, 两年 supports 24 months), or by the same plain
    number. Full-width digits, thousands separators and Chinese numerals are read. Plain numbers up to 9 are never reported.

    >>> ungrounded("只要 89 元，保修三年", ["价格是89元。", "保修期：2 年"])
    ('三年',)
    """
    stated = [with_each_unit(folded(piece)) for piece in evidence]
    known = [figure for piece in stated for figure in figures_in(piece)]
    supported = {(round(figure.value, 4), figure.unit) for figure in known}
    supported |= {(round(value, 4), None) for piece in stated for value in plain_values(piece)}
    said = folded(text)
    missing = [figure.text for figure in figures_in(said) if not _is_supported(figure, supported)]
    ratings = {_squeezed(rating) for piece in evidence for rating in _RATING.findall(folded(piece))}
    missing += [rating for rating in _RATING.findall(said) if _squeezed(rating) not in ratings]
    return tuple(dict.fromkeys(missing))


def figures(text: str) -> tuple[str, ...]:
    """The figures of a text as they stand in its NFKC form, those that are ways of speaking left out.

    >>> figures("保修三年，重 1.2 kg，一天一次")
    ('三年', '1.2 kg')
    """
    return ungrounded(text, ())


def _is_supported(figure: Figure, supported: set[tuple[float, str | None]]) -> bool:
    value = round(figure.value, 4)
    if (value, figure.unit) in supported or (figure.unit == "pieces" and (value, None) in supported):
        return True
    return figure.unit is None and value <= _ALWAYS_FINE and value == int(value)


def _squeezed(rating: str) -> str:
    return rating.replace(" ", "")
