"""What the names of columns tell of a wide table: device, cycle, direction."""

import re

from experiments.data.formats import DataError

UP = {"up", "u", "pot", "potentiation", "p", "set", "ltp", "increase", "+"}
DOWN = {"down", "d", "dep", "depression", "reset", "ltd", "decrease", "-"}

_DEVICE = re.compile(
    r"(?:(?:device|dev|cell|sample)[ _.-]*(\w+?)|d[ _.-]*(\d+))(?=[ _.,-]|c\d|cyc|$)"
)
_CYCLE = re.compile(r"(?:cycle|cyc|loop|c)[ _.-]*(\d+)")


def who(name: str, n: int) -> tuple[str, str]:
    """Device and cycle of a column by its name; a cycle of its own otherwise.

    Example:
        >>> who("device 3 cycle 2", 0), who("D3C2", 0), who("cycle 2", 0), who("2", 0)
        (('3', '2'), ('3', '2'), ('1', '2'), ('1', '2'))
    """
    plain = name.lower()
    device, cycle = _DEVICE.match(plain), _CYCLE.search(plain)
    if device is None and cycle is None:
        return "1", plain if plain.isdigit() else str(n + 1)
    return (device[1] or device[2]) if device else "1", cycle[1] if cycle else "1"


def ways_of(columns: list[str], known: bool) -> list[bool | None]:
    """Whether the pulses of each column ask for more; None: the names do not tell.

    They tell where some say up and others down ("set 1", "set 2" may be two sets).

    Args:
        columns: their names.
        known: whether another column tells the directions.

    Example:
        >>> ways_of(["potentiation", "depression"], False), ways_of(["1", "2"], False)
        ([True, False], [None, None])
    """
    ways: list[bool | None] = []
    for name in columns:
        words = set(re.split(r"[\W\d_]+", name.lower())) - {"p", "d", "u"}
        more, less = bool(words & UP), bool(words & DOWN)
        ways.append(more if more != less else None)
    if not {True, False} <= set(ways):
        return [None] * len(ways)
    if None in ways or known:
        named = columns[ways.index(True)]
        other = "the column of directions" if known else repr(columns[ways.index(None)])
        raise DataError(
            f"column {named!r} tells a direction and so does not fit {other}: expected "
            "a direction for all columns by their names, or for none"
        )
    return ways
