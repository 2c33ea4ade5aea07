"""Every number that README.md tells is that of the file or output it comes from.

A number that is not in `HELD` fails: with it comes where it is from.
"""

import re
import tomllib

from experiments.claims import read_csv
from tests.shown_commands import ROOT

README = (ROOT / "README.md").read_text("utf-8")
WORDS = {"two": 2, "eight": 8, "ten": 10, "twenty": 20, "hundred": 100}


def told():
    """README as running text: neither code, nor commands, nor links, nor names."""
    text = re.sub(r"```.*?```", "", README, flags=re.S)
    text = re.sub(
        r"^    python -m .*?(?=  #|$)|\]\([^)]*\)|`[^`]*`", "", text, flags=re.M
    )
    return " ".join(text.split())


def read(name):
    return (ROOT / name).read_text("utf-8")


def code(n):
    """Lines of the n-th example, and the numbers of what it prints."""
    example = re.findall(r"```python\n(.*?)```", README, re.S)[n]
    printed = re.findall(r"```text\n(.*?)```", README, re.S)[n]
    lines = [line for line in example.splitlines() if line.strip()]
    return lines, [float(x) for x in re.findall(r"[\d.]+", printed)]


def cited(doi_or_start):
    paper = read("CITATION.cff").split("- type: article")[1:]
    (one,) = (p for p in paper if doi_or_start in p)
    assert re.search(r"journal: .Nature Communications.\n", one)
    assert "year: 2025\n" in one
    return one


def error_of_updates():
    rows = read_csv(ROOT / "docs/measured/claims.csv")["scheme"]
    (claim,) = (c for c in rows if c.claim.startswith("most updates are 10 to 100"))
    assert claim.verdict in ("reproduced", "trend reproduced")


def first_paper():
    cited("doi: 10.1038/s41467-025-66240-7")


def second_paper():
    assert 'volume: "16"' in cited('start: "3757"')


def pythons():
    asked = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    assert asked == ">=3.11,<3.14"


def reproduced_in():
    (found,) = re.findall(
        r"\((\d+) min (\d+) s at \w+ on quiet ones\)", read("docs/claims.md")
    )
    assert int(found[0]) + int(found[1]) / 60 <= WORDS["ten"]


def targets():
    commands = re.search(r"## Two commands(.*?)Both create", README, re.S)
    assert commands
    assert len(re.findall(r"^    make", commands[1], re.M)) == WORDS["two"]


def training():
    assert WORDS["twenty"] - 2 <= len(code(0)[0]) <= WORDS["twenty"]


def inverting():
    assert WORDS["eight"] - 1 <= len(code(1)[0]) <= WORDS["eight"]


def waited():
    lines, (_, first, _, second) = code(1)
    (short, long) = re.search(r"for time in (\S+), (\S+):", "\n".join(lines)).groups()
    assert float(long) / float(short) == WORDS["hundred"]
    assert abs(first / second - WORDS["ten"]) < 0.2  # four digits are printed


def licence():
    assert "license: Apache-2.0\n" in read("CITATION.cff")


HELD = {
    "10 to 100 times the update": error_of_updates,
    "Nature Communications 2025, doi 10.1038/s41467-025-66240-7": first_paper,
    "Nature Communications 16:3757, 2025": second_paper,
    "Python 3.11 to 3.13": pythons,
    "in ten minutes on two quiet cores": reproduced_in,
    "Two commands": targets,
    "Twenty lines: train": training,
    "Eight lines: invert": inverting,
    "A hundred times the waiting, a tenth of the error": waited,
    "Apache-2.0": licence,
}


def test_every_number_of_the_readme_is_held_to_where_it_is_from():
    text = told()
    for words, holds in HELD.items():
        assert words in text, words
        holds()
        text = text.replace(words, "")
    numbers = rf"\d+|\b(?:{'|'.join(WORDS)})\b"
    assert not re.findall(rf".{{0,30}}(?:{numbers}).{{0,20}}", text, re.I)
