"""A sample of the bad command lines of `python -m tests.fuzz`."""

from tests.fuzz import bad_command_lines, command_line


def test_a_bad_command_line_is_refused_in_words():
    assert list(command_line.faults(seed=0, count=150)) == []


def test_there_are_hundreds_of_bad_command_lines():
    assert len(set(bad_command_lines.every_line())) > 1000
