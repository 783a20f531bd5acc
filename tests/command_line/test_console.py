"""What is printed: the user's names and paths as they are, but for what would command the terminal."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from command_line.console import console, say
from command_line.plain_text import LONGEST, PlainFormatter, harmless


def printed(line: str) -> str:
    out = io.StringIO()
    say(line, to=Console(file=out, width=80, force_terminal=False))
    return out.getvalue()


def test_an_escape_in_a_name_is_spelled_and_commands_nothing() -> None:
    assert printed("cats\x1b]0;owned\x07/\x1b[2J.jpg") == "cats\\x1b]0;owned\\x07/\\x1b[2J.jpg\n"
    assert printed("two\nlines [bold]") == "two\nlines [bold]\n"
    assert printed("Ünïcode, 猫") == "Ünïcode, 猫\n"


def test_an_escape_in_a_table_is_spelled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of classes and values of knobs come from files, and stand in tables."""
    table, out = Table("\x1b[2Jcats"), io.StringIO()
    table.add_row("\x1b]0;owned\x07")
    monkeypatch.setattr(console, "_file", out)  # of itself it prints wherever standard output is
    console.print(table)
    assert "\x1b" not in out.getvalue()
    assert "\\x1b]0;owned\\x07" in out.getvalue()


def test_a_line_of_megabytes_keeps_its_ends() -> None:
    line = printed("begin " + "x" * 10**7 + " end")
    assert len(line) < LONGEST + 100
    assert line.startswith("begin x")
    assert line.endswith("x end\n")


@given(st.text())
def test_nothing_that_is_said_holds_a_control_character(text: str) -> None:
    assert not any((ord(one) < 32 and one not in "\n\t") or 127 <= ord(one) < 160 for one in harmless(text))


def test_a_warning_is_a_plain_line() -> None:
    record = logging.LogRecord("ours", logging.WARNING, "", 0, "trial %d failed: %s", (3, "\x1b[2Jbroken"), None)
    assert PlainFormatter("%(message)s").format(record) == "trial 3 failed: \\x1b[2Jbroken"


def test_marks_that_turn_text_round_and_names_that_are_no_text_are_spelled() -> None:
    assert printed("a\u202egpj.exe \u2028end") == "a\\u202egpj.exe \\u2028end\n"
    assert printed("bad\udcff.jpg") == "bad\\udcff.jpg\n"
