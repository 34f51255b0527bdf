"""Tables of commands, on terminals and in pipes."""

from adapter.commands.table import lines

ROWS = [("name", "note"), ("ada", "a sentence of some length"), ("benjamin", "")]


def test_columns_begin_at_one_place_and_a_pipe_gets_all() -> None:
    """No line ends with blanks."""
    assert list(lines(ROWS, None)) == ["name      note", "ada       a sentence of some length", "benjamin"]


def test_on_a_terminal_the_last_column_is_cut() -> None:
    """A broken line would look like two rows. Other columns are whole."""
    assert list(lines(ROWS, 30)) == ["name      note", "ada       a sentence of some …", "benjamin"]
    assert list(lines(ROWS, 10))[1] == "ada       a sentence of s…"
    assert list(lines(ROWS, 80)) == list(lines(ROWS, None))
