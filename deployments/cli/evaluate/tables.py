"""How the commands of `livecart evaluate` show their numbers."""

from collections.abc import Sequence


def print_table(title: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, show_header=any(heads))
    for head in heads:
        table.add_column(head, no_wrap=True)
    for line in lines:
        table.add_row(*line)
    Console().print(table)


def shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
