"""The table of claims as a file."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from experiments.claims.verdicts import NUMBERS, Claim
from experiments.results import store

__all__ = ["read_csv", "write_csv"]

_COLUMNS = ["experiment", *(f.name for f in fields(Claim))]


def write_csv(path: str | Path, claims: Mapping[str, Sequence[Claim]]) -> None:
    """Write the claims of several experiments, by name, as one table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for name, rows in claims.items():
        for row in rows:
            values = (getattr(row, column) for column in _COLUMNS[1:])
            writer.writerow([name, *map(_plain, values)])
    store.write_atomically(path, text.getvalue().encode())


def read_csv(path: str | Path) -> dict[str, list[Claim]]:
    """The claims that `write_csv` wrote; none if there is no such file.

    Raises:
        StoreError: if the file is something else.
    """
    path = Path(path)
    claims: dict[str, list[Claim]] = {}
    if not path.exists():
        return claims
    try:
        table = csv.DictReader(store.read_file(path).decode().splitlines(), strict=True)
        if table.fieldnames != _COLUMNS:
            raise ValueError(f"its columns are not {', '.join(_COLUMNS)}")
        for row in table:
            name = row.pop("experiment")
            claims.setdefault(name, []).append(_claim(row))
    except (KeyError, TypeError, ValueError, OSError, csv.Error) as e:
        problem = f"is not a table of claims ({e}): move it away and run again"
        raise store.StoreError(f"{path} {problem}") from e
    return claims


def _claim(row: dict[str, str]) -> Claim:
    numbers = {c: float(row[c]) if row[c] else None for c in NUMBERS}
    return Claim(**{**row, **numbers})  # pyright: ignore[reportArgumentType]


def _plain(value) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float | int) else str(value)
