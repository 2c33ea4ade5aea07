"""What the columns of a table of device measurements mean, and their units."""

import re

import numpy as np

from experiments.data.formats import DataError
from experiments.data.tables import Table

ROLES = {
    "device": "device dev cell id die sample zelle bauteil dispositif cellule",
    "cycle": "cycle cyc loop repetition zyklus",
    "pulse": "pulse pulses pulsenumber pulseno pulsecount n number step index puls "
    "impuls pulsnummer impulsion",
    "direction": "direction dir polarity sign operation type richtung sens",
    "g": "g conductance cond gread leitwert",
    "r": "r resistance res widerstand résistance",
    "current": "i current iread strom courant",
    "voltage": "v u voltage vread readvoltage spannung tension",
    "target": "target gtarget targetg asked targetconductance ziel cible",
    "landed": "landed measured found result ergebnis mesuré",
    "time": "time t elapsed elapsedtime zeit temps",
    "low": "low glow goff gmin hrs",
    "high": "high ghigh gon gmax lrs",
    "read": "read reading readnumber lesung lecture",
    "x": "x diex xdie xpos posx",
    "y": "y diey ydie ypos posy",
}
"""Role -> names of its column, small, without blanks; in three languages."""
_KNOWN = {name: role for role, names in ROLES.items() for name in names.split()}

UNITS = {
    "S": 1e6, "mS": 1e3, "µS": 1.0, "uS": 1.0, "nS": 1e-3, "pS": 1e-6,
    "Ω": 1.0, "ohm": 1.0, "Ohm": 1.0, "ohms": 1.0, "kΩ": 1e3, "kohm": 1e3,
    "kOhm": 1e3, "MΩ": 1e6, "Mohm": 1e6, "MOhm": 1e6, "GΩ": 1e9,
    "A": 1.0, "mA": 1e-3, "µA": 1e-6, "uA": 1e-6, "nA": 1e-9, "pA": 1e-12,
    "V": 1.0, "mV": 1e-3, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9,
    "min": 60.0, "h": 3600.0, "d": 86400.0,
    "mm": 1.0, "cm": 10.0, "µm": 1e-3, "um": 1e-3,
}  # fmt: skip
"""Unit -> size, in µS, Ω, A, V, s, mm."""
_OF = {
    "g": "µS mS S nS pS uS", "r": "Ω ohm Ohm ohms kΩ kohm kOhm MΩ Mohm MOhm GΩ",
    "current": "A mA µA uA nA pA", "voltage": "V mV", "time": "s ms µs us ns min h d",
    "place": "mm cm µm um",
}  # fmt: skip
MOST_MICROSIEMENS = 1e6  # 1 S
_SMALL = 1e-2  # without a unit: below it, in the median, conductances are in S


def roles(table: Table) -> dict[str, str]:
    """Role -> name of the column that has it, as far as the names tell.

    Raises:
        DataError: if two columns have the same role.
    """
    found: dict[str, str] = {}
    for name in table.names:
        role = role_of(name)
        if role is None:
            continue
        if role in found:
            raise DataError(
                f"columns {found[role]!r} and {name!r} both look like the {role}: "
                "rename one"
            )
        found[role] = name
    return found


def role_of(name: str) -> str | None:
    """The role of a column by its name; None if it has none."""
    plain = re.sub(r"[\W_]", "", _without_unit(name).lower())
    return _KNOWN.get(plain)


def _without_unit(name: str) -> str:
    """A name without its unit: g of "g_uS"."""
    head, _, tail = name.rpartition("_")
    return head if head and tail in UNITS else name


def scaled(table: Table, name: str, kind: str) -> tuple[np.ndarray, str]:
    """A column in µS, Ω, A, V or s, and what its unit was taken for.

    Args:
        table: the table.
        name: of the column.
        kind: "g", "r", "current", "voltage", "time".

    Raises:
        DataError: if it is no numbers, or has a unit of another kind.
    """
    if name not in table.numbers:
        first = table.words[name][0]
        raise DataError(
            f"line {table.lines[0]}, column {name!r}: expected a number, got {first!r}"
        )
    unit = table.unit(name) or name.rpartition("_")[2] * ("_" in name)
    values, allowed = table.numbers[name], _OF[kind].split()
    if unit in allowed:
        return values * UNITS[unit], unit
    if table.unit(name):
        raise DataError(
            f"column {name!r}: expected a unit among {', '.join(allowed)}, got {unit!r}"
        )
    if kind != "g":
        return values, f"{allowed[0]} (not told, taken for it)"
    middle = np.nanmedian(np.abs(values)) if np.isfinite(values).any() else np.nan
    unit = "S" if middle < _SMALL else "µS"
    return values * UNITS[unit], f"{unit} (not told; by their size)"


def conductance(table: Table, found: dict[str, str]) -> tuple[np.ndarray, str]:
    """Conductances in µS: told, or from resistances, or from currents and voltages.

    Raises:
        DataError: if there are none, or they cannot be those of a memristor.
    """
    if "g" in found:
        values, unit = scaled(table, found["g"], "g")
        return sound(table, found["g"], values, unit), f"in {unit}"
    if "r" in found:
        ohms, unit = scaled(table, found["r"], "r")
        bad = np.flatnonzero(ohms <= 0)
        if bad.size:
            raise DataError(
                f"line {table.lines[bad[0]]}, column {found['r']!r}: expected a "
                f"resistance above 0, got {ohms[bad[0]]:g}"
            )
        return sound(table, found["r"], 1e6 / ohms, unit), f"from resistances in {unit}"
    if "current" in found and "voltage" in found:
        amps, unit = scaled(table, found["current"], "current")
        volts, other = scaled(table, found["voltage"], "voltage")
        bad = np.flatnonzero(volts == 0)
        if bad.size:
            raise DataError(
                f"line {table.lines[bad[0]]}, column {found['voltage']!r}: expected a "
                "read voltage other than 0"
            )
        values = sound(table, found["current"], 1e6 * amps / volts, unit)
        return values, f"from currents in {unit} at voltages in {other}"
    if "current" in found:
        raise DataError(
            f"column {found['current']!r} holds currents: expected a column of read "
            "voltages beside it, or conductances"
        )
    raise DataError(
        f"no column of conductances: expected one called g, with its unit, "
        f"'g (µS)', got {', '.join(table.names[:12])}"
    )


def sound(table: Table, name: str, values: np.ndarray, unit: str) -> np.ndarray:
    """Conductances (µS) that a memristor can have; where not, the unit is wrong."""
    bad = np.flatnonzero(np.abs(values) > MOST_MICROSIEMENS)
    if bad.size:
        raise DataError(
            f"line {table.lines[bad[0]]}, column {name!r}: {values[bad[0]] / 1e6:g} S "
            f"is no memristor, expected at most 1 S: is the unit {unit} right?"
        )
    if np.isfinite(values).any() and np.nanmax(np.abs(values)) < 1e-6:
        raise DataError(
            f"column {name!r}: all below 1 pS, expected conductances of a memristor: "
            f"is the unit {unit} right?"
        )
    return values


def labels(table: Table, name: str) -> list[str]:
    """Names of devices or cycles: words, or whole numbers."""
    if name in table.words:
        return table.words[name]
    values = table.numbers[name]
    for line, value in zip(table.lines, values, strict=True):
        if not np.isfinite(value) or value != np.round(value):
            raise DataError(
                f"line {line}, column {name!r}: expected a whole number or a name, got "
                f"{'nothing' if np.isnan(value) else value}"
            )
    return [f"{value:.0f}" for value in values]
