"""Tables, as wide as their content."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from imgcls.console.numbers import printable
from imgcls.console.streams import rendered

if TYPE_CHECKING:
    from rich.table import Table


def facts(*rows: tuple[str, str]) -> "Table":
    """Returns a table of labels and values."""
    return table(None, ((f"{label}:", value) for label, value in rows), left=(0, 1))


def table(
    header: Sequence[str] | None,
    rows: Iterable[Sequence[str]],
    *,
    left: tuple[int, ...] = (0,),
    total: Sequence[str] | None = None,
) -> "Table":
    """Returns a table whose columns are aligned right, except those in `left`.

    Args:
        header: the column names, or None.
        rows: the cells; what a terminal cannot show is escaped.
        left: the indices of the columns that are aligned left.
        total: a last row, in bold.
    """
    from rich.table import Table
    from rich.text import Text

    body = [*rows, *([total] if total else [])]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=header is not None)
    for index in range(len(header or body[0])):
        table.add_column(
            Text(printable(header[index])) if header else "",
            justify="left" if index in left else "right",
            no_wrap=True,
        )
    for row in body:
        style = "bold" if row is total else None
        table.add_row(*(Text(printable(cell)) for cell in row), style=style)
    return table


def width(shown: "Table") -> int:
    """Returns how many columns of a terminal a table takes; a CJK character takes two."""
    from rich.cells import cell_len

    return max(map(cell_len, rendered(shown, is_terminal=False).splitlines()), default=0)
