"""Tables in the dialects of laboratories, and what is refused of them."""

import numpy as np
import pytest

from experiments.data.formats import DataError
from experiments.data.tables import MOST_BYTES, read_table
from experiments.data.traces import read_traces

UP = "pulse,direction,g (µS)\n0,up,1\n1,up,2\n2,up,3\n3,down,2.5\n"


def written(tmp_path, content, name="x.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


DIALECTS = {
    "english": "pulse,g (µS)\n1,2.5\n2,3.5\n",
    "german excel": "pulse;g [µS]\r\n1;2,5\r\n2;3,5\r\n".encode("cp1252"),
    "french excel": "sep=;\npulse;g (µS)\n1;2,5\n2;3,5\n".encode("cp1252"),
    "utf-16": b"\xff\xfe" + "pulse\tg (µS)\n1\t2.5\n2\t3.5\n".encode("utf-16-le"),
    "utf-8 with a mark": b"\xef\xbb\xbf" + "pulse,g (µS)\n1,2.5\n2,3.5".encode(),
    "units below": "pulse\tg\n\tµS\n1\t2.5\n2\t3.5\n",
    "blanks": "pulse g/µS\n1 2.5\n2 3.5\n",
    "comments": "# made on Monday\n% so\npulse,g (µS)\n\n1,2.5\n2,3.5\n",
    "quoted": 'pulse,"g (µS)"\n"1","2,5"\n"2","3,5"\n',
    "a title": "Monday;;\n\npulse;g (µS);\n1;2,5;\n2;3,5;\n",
    "two titles": "Monday\nchip 3\npulse,g (µS)\n1,2.5\n2,3.5\n",
    "in": "pulse,g in µS\n1,2.5\n2,3.5\n",
    "fortran": "pulse,g (µS)\n1,2.5D0\n2,0.35E+01\n",
}


@pytest.mark.parametrize("content", DIALECTS.values(), ids=DIALECTS)
def test_a_dialect_is_found(content, tmp_path):
    table = read_table(written(tmp_path, content))
    assert table.numbers["pulse"].tolist() == [1.0, 2.0]
    (name,) = set(table.names) - {"pulse"}
    assert table.numbers[name].tolist() == [2.5, 3.5]
    assert table.unit(name) == "µS" or name == "g/µS"


def test_gaps_and_overflows_are_missing(tmp_path):
    gaps = "g (µS),d\n1,a\nNaN,b\n,c\n9.91E+37,d\n#N/A,e\n--,f\n2,g\n"
    table = read_table(written(tmp_path, gaps))
    np.testing.assert_array_equal(table.numbers["g"], [1, *[np.nan] * 5, 2])
    assert table.words["d"] == list("abcdefg")
    assert table.lines.tolist() == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("field", "value"),
    [("1.234,5", 1234.5), ("1 234,5", 1234.5), ("1.234.567,25", 1234567.25),
     ("12,5e-3", 0.0125), (",5", 0.5), ("-1,", -1.0)],
)  # fmt: skip
def test_numbers_with_a_decimal_comma(field, value, tmp_path):
    table = read_table(written(tmp_path, f"a;b\n{field};1\n0,5;2\n"))
    assert table.numbers["a"].tolist() == [value, 0.5]


def test_numbers_with_thousands_in_english(tmp_path):
    table = read_table(written(tmp_path, 'a;b\n"1,234.5";1\n"1,234,567.5";2\n'))
    assert table.numbers["a"].tolist() == [1234.5, 1234567.5]


LONG = "pulse,g (µS)\n"
BAD = {
    "empty": ("", "is empty"),
    "blank": (" \n\n", "is empty"),
    "comments alone": ("# so\n", "comments alone"),
    "header alone": ("pulse,g\n", "a header and no line"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\0", "binary data"),
    "zeros": (b"\0" * 64, "binary data"),
    "zip": (b"PK\x03\x04" + b"x" * 40, "damaged archive, perhaps cut short"),
    "old excel": (b"\xd0\xcf\x11\xe0" + b"x" * 40, "old format .* as .xlsx or CSV"),
    "half utf-16": (b"\xff\xfea", "no UTF-16 text"),
    "two encodings": (b"a;b \xb5S\n1;2\n\xc3\xa9;3\n", "line 3 is UTF-8 and line 1"),
    "no encoding": (b"a;b\n1;\x81\n", "no known encoding"),
    "text in numbers": ("pulse,g\n1,2\n2,two\n", "line 3, column 'g'.*'two'"),
    "two points": ("pulse,g\n1,2\n2,1.2.3\n", "line 3, column 'g'.*'1.2.3'"),
    "unit in a field": ("pulse,g\n1,2 µS\n2,3\n", "line 2, column 'g'.*'2 µS'"),
    "infinite": ("pulse,g\n1,2\n2,inf\n", "line 3, column 'g'.*finite"),
    "too large": ("pulse,g\n1,2\n2,1e999\n", "line 3, column 'g'.*finite"),
    "both commas": ("pulse;g\n1;2,5\n2;2.5\n", "decimal comma and '2.5' in line 3"),
    "too many fields": ("pulse,g\n1,2,3\n", "line 2: has 3 fields, expected 2"),
    "open quote": ('pulse,g\n1,"2\n2,3\n', "line 2: a quotation mark"),
    "same names": ("pulse,g,g\n1,2,3\n2,3,4\n", "columns 2, 3 are all called 'g'"),
    "header in part": ("1,g\n2,x\n", "line 1: 'g' is neither"),
    "only words": ("a,b\nx,y\n", "no number"),
    "no number": ("pulse,g\n1,\n2,nan\n", "no conductance"),
    "all missing": ("pulse,g\n,\n-,nan\n", "no number"),
    "html": ("<html>\n<body>not found</body>\n", "no number"),
    "json": ('{"pulse": [1, 2]}\n', "header and no line|no number"),
    "code": ("import os\nos.system('x')\n", "no number"),
    "two roles": ("pulse,n,g\n1,1,2\n2,2,3\n", "both look like the pulse"),
    "siemens that are micro": ("pulse,g (S)\n1,20\n2,30\n", "20 S is no memristor"),
    "millisiemens": ("pulse,g (mS)\n1,2000\n2,30\n", "2 S is no memristor"),
    "picosiemens": ("pulse,g (pS)\n1,0.1\n2,0.2\n", "all below 1 pS"),
    "ohms for siemens": ("pulse,g (kΩ)\n1,20\n2,30\n", "a unit among µS.*'kΩ'"),
    "unit of no kind": ("pulse,g (apples)\n1,20\n2,30\n", "'apples'"),
    "negative ohms": ("pulse,r (kΩ)\n1,20\n2,-30\n", "line 3.*above 0"),
    "no ohms": ("pulse,r (kΩ)\n1,20\n2,0\n", "line 3.*above 0"),
    "currents alone": ("pulse,current (µA)\n1,20\n2,30\n", "read voltages"),
    "no voltage": ("pulse,i (A),v (V)\n1,1e-6,0.1\n2,1e-6,0\n", "line 3.*than 0"),
    "half a pulse": (LONG + "1,2\n1.5,3\n", "line 3, column 'pulse'.*whole"),
    "no pulse number": (LONG + "1,2\n,3\n", "line 3, column 'pulse'.*whole"),
    "negative pulse": (LONG + "-1,2\n1,3\n", "number of a pulse"),
    "pulse is a word": (LONG + "a,2\nb,3\n", "number of a pulse"),
    "pulse backwards": ("cycle,pulse,g\n1,2,3\n1,1,3\n", "pulse 1 after pulse 2"),
    "pulse twice": ("cycle,pulse,g\n1,1,3\n1,1,3\n", "pulse 1 after pulse 1"),
    "a single pulse": (LONG + "1,2\n", "expected 2 or more"),
    "no direction": ("pulse,direction,g\n1,left,2\n2,up,3\n", "line 2.*'left'"),
    "direction 0": ("pulse,direction,g\n1,1,2\n2,0,3\n", "line 3.*got 0"),
    "direction missing": ("pulse,direction,g\n1,1,2\n2,,3\n", "line 3.*got nan"),
    "half a cycle": ("cycle,pulse,g\n1.5,1,2\n1.5,2,3\n", "column 'cycle'.*whole"),
    "device of 1.2": ("device,pulse,g\n1.2,1,2\n1,2,3\n", "column 'device'.*whole"),
    "wide backwards": ("pulse,1,2\n2,3,3\n1,3,3\n", "line 3.*pulse 1 after pulse 2"),
    "wide units": ("pulse,c1 (S),c2 (mS)\n1,1e-6,1\n2,1e-6,1\n", "one for all"),
    "wide words": ("pulse,c1,c2\n1,2,a\n2,3,b\n", "line 2, column 'c2'.*'a'"),
    "time backwards": ("time (s),g (µS)\n1,2\n3,2\n2,2\n", "line 4.*time 2 s"),
    "time twice": ("time (s),g (µS)\n1,2\n1,2\n", "line 3.*later"),
    "time before 0": ("time (s),g (µS)\n-1,2\n1,2\n", "line 2.*from 0 on"),
    "time missing": ("time (s),g (µS)\n1,2\n,2\n3,2\n", "line 3.*time nan"),
    "time in volts": ("time (V),g (µS)\n1,2\n2,2\n", "a unit among s.*'V'"),
    "one time": ("time (s),g (µS)\n1,2\n", "two or more"),
    "time alone": ("time (s)\n1\n2\n", "expected conductances beside"),
    "one read": ("read,g (µS)\n1,2\n", "the last of at least 2"),
    "target alone": ("target (µS),x\n1,2\n2,3\n", "no column of conductances"),
    "target in volts": ("target (V),g (µS)\n1,2\n2,3\n", "among µS.*'V'"),
    "cycle twice": ("cycle,low,high\n1,2,3\n1,2,3\n2,2,3\n", "line 3.*there twice"),
    "one cycle": ("cycle,low,high\n1,2,3\n", "two or more"),
    "cycle is missing": ("cycle,low,high\n1,2,3\n,2,3\n3,2,3\n", "line 3.*nothing"),
    "cycle is a word": ("cycle,low,high\na,2,3\nb,2,3\n", "numbers of cycles"),
    "unknown": ("apples\n1\n2\n", "no column that is known.*apples"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_by_name(content, words, tmp_path):
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=words) as told:
        read_traces([path])
    assert str(told.value).startswith(str(path))
    assert "\n" not in str(told.value)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_traces([tmp_path / "none.csv"])
    with pytest.raises(DataError):
        read_traces([tmp_path])
    with pytest.raises(DataError, match="at least one file"):
        read_traces([])
    big = tmp_path / "big.csv"
    with open(big, "wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(DataError, match="must be at most"):
        read_traces([big])
    wide = written(tmp_path, ",".join(f"c{n}" for n in range(10_001)) + "\n1\n")
    with pytest.raises(DataError, match="at most 10000 columns"):
        read_traces([wide])
    twice = written(tmp_path, UP)
    with pytest.raises(DataError, match="holds pulses, as a file before it"):
        read_traces([twice, twice])
