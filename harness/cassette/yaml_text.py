"""How a cassette's YAML is spelt: one wire line a line, so that a reviewer can read a recording and its changes."""

from __future__ import annotations

import re
from typing import Any

import yaml


class Literal(str):
    """Written as a literal block: line for line as it is."""

    __slots__ = ()


class Quoted(str):
    """Written in double quotes, one source line a YAML line."""

    __slots__ = ()


class Flow(list[Any]):
    """Written between brackets."""


_NOT_LITERAL = re.compile(r"[\r\x85\u2028\u2029\ufeff]| \n")  # YAML would normalise these, or an editor strip them


def quoted(data: bytes) -> str | bytes:
    """As text in double quotes; bytes that are not UTF-8 as they are."""
    try:
        return Quoted(data.decode("utf-8"))
    except UnicodeDecodeError:
        return data


def readable(data: bytes) -> str | bytes:
    """As text, line for line, where YAML can say it exactly so."""
    text = quoted(data)
    return text if isinstance(text, bytes) or not text or _NOT_LITERAL.search(text) else Literal(text)


_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Dumper(yaml.SafeDumper):
    """Writes double-quoted text one source line a line; stock PyYAML folds it at spaces, which nobody can review."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True

    def write_double_quoted(self, text: str, split: bool = True) -> None:  # noqa: ARG002 - the signature is not ours to choose
        lines = [re.sub(r'["\\]|[^ -~]', _escape, line) for line in re.findall(r"[^\n]*\n|[^\n]+", text)]
        # After an escaped line break YAML drops leading spaces, so the first one is escaped too.
        lines = [f"\\{line}" if number and line.startswith(" ") else line for number, line in enumerate(lines)]
        self.write_indicator('"' + ("\\\n" + " " * ((self.indent or 0) + 2)).join(lines) + '"', True)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


Dumper.add_representer(Flow, lambda d, data: d.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True))
Dumper.add_representer(Literal, lambda d, data: d.represent_scalar("tag:yaml.org,2002:str", str(data), style="|"))
Dumper.add_representer(Quoted, lambda d, data: d.represent_scalar("tag:yaml.org,2002:str", str(data), style='"'))
