"""JSON texts as values, with errors for the person who wrote the text."""

import json
import sys


def json_value(text: str) -> object:
    """Raises ValueError that says what is wrong with the text.

    >>> json_value('{"stock": ' + "9" * 5_000 + "}")
    Traceback (most recent call last):
    ValueError: a whole number of more than 4300 digits stands in it; write it as text if it is an id, else shorter
    """
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise ValueError("objects and lists are nested too deeply in it") from None
    except ValueError:
        raise ValueError(
            f"a whole number of more than {sys.get_int_max_str_digits()} digits stands in it; write it as text if it is an id, else shorter"
        ) from None
    return value
