"""A YAML document of somebody else's, and the line on which each of its values stands, for complaints.

It is read with the safe loader: no tags but YAML's own, and under limits of size, depth and aliases, so that no file can
make the reader run out of stack or memory. The values do not know their lines; the nodes, which do, are made only for a
document that somebody complains of.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml
from jsonschema.exceptions import best_match

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jsonschema.protocols import Validator

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # pragma: no cover - PyYAML built without libyaml: the same language, only slower
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A file is read whole; no recording that a person would commit is larger, and nothing else comes near."""
MAX_DEPTH = 24
"""A cassette nests six deep, the catalogue of hazards ten; request bodies are text and add nothing."""
MAX_ALIASES = 16
"""vcrpy may write a few; nested aliases are how small files are made to unfold into huge ones."""
_SHOWN = 200


class YamlError(Exception):
    """A file that is no document. ``line`` and ``column`` are 1-based, ``byte`` 0-based; None where none can be named."""

    def __init__(
        self, what: str, line: int | None = None, column: int | None = None, *, byte: int | None = None
    ) -> None:
        super().__init__(what, line, column, byte)
        self.what, self.line, self.column, self.byte = what, line, column, byte

    def at(self, path: object) -> str:
        """One line that says which file, where in it, and what is wrong."""
        byte = "" if self.byte is None else f" at byte {self.byte}"
        return f"{path}{f':{self.line}' if self.line else ''}: {self.what}{byte}"


class YamlLimitError(YamlError):
    """YAML, but too much of it."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that a schema has against a document."""

    steps: tuple[str | int, ...]
    """The keys and positions on the way to the value at fault; none for the whole document."""
    line: int
    what: str
    """In one line of at most some 200 characters."""
    keyword: str
    """The keyword of the schema that the value does not satisfy."""


@dataclass(frozen=True)
class Document:
    """``value`` is what the text says: None for an empty one."""

    text: str
    value: Any

    @cached_property
    def _root(self) -> yaml.Node | None:
        root: yaml.Node | None = yaml.compose(self.text, Loader=_SafeLoader)
        return root

    def line(self, steps: Iterable[str | int]) -> int:
        """The line, from 1, of the value on that way, or of the nearest thing around it that is there."""
        node = self._root
        line = node.start_mark.line if node is not None else 0
        for step in steps:
            if isinstance(node, yaml.MappingNode):
                pair = next(((key, value) for key, value in node.value if key.value == str(step)), None)
                # Not the value's, which may begin on a later line than the key that names it.
                at, node = pair or (None, None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                at = node = node.value[step]
            else:
                break
            if at is None:
                break
            line = at.start_mark.line
        return line + 1

    def misfits(self, schema: str, otherwise: Any = None) -> list[Misfit]:
        """What ``schemas/<schema>.schema.json`` has against the value, in the order of the document; nothing if it fits.

        ``otherwise`` stands for the value of an empty document.
        """
        value = otherwise if self.value is None else self.value
        found = []
        for error in _validator(schema).iter_errors(value):
            # The innermost of what an "any of these" says: the outer one only repeats the value.
            inner = best_match([error]) or error
            steps = tuple(inner.absolute_path)
            found.append(Misfit(steps, self.line(steps), _shortened(inner.message), str(inner.validator)))
        return sorted(found, key=lambda misfit: (misfit.line, list(map(str, misfit.steps))))


def read(path: Path) -> Document:
    """The document in a file.

    Raises:
        YamlError: it cannot be read, is too large, or :func:`parse` refuses it.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise YamlLimitError(f"is larger than {MAX_FILE_BYTES} bytes")
        return parse(path.read_bytes())
    except OSError as error:
        raise YamlError(f"cannot be read ({error.strerror})") from error


def parse(data: bytes) -> Document:
    """The document that ``data`` spells.

    Raises:
        YamlError: it is not UTF-8 or not YAML, has tags, a key twice, or a scalar that looks like a date and is none.
        YamlLimitError: it passes a limit, or holds itself.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlError("not UTF-8", byte=error.start) from error
    try:
        _checked(text)
        return Document(text, yaml.load(text, Loader=_SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be parsed"
        raise YamlError(f"not YAML: {problem}", *((mark.line + 1, mark.column + 1) if mark else ())) from error
    except ValueError as error:  # a scalar that looks like a date or a number and is none
        raise YamlError(f"not YAML: {error}") from error


def shipped(package: str, name: str) -> Any:
    """The value of a YAML file that lies in ``package`` beside its modules: our own, so under no limits."""
    text = resources.files(package).joinpath(name).read_text("utf-8")
    try:
        return yaml.load(text, Loader=_SafeLoader)
    except yaml.scanner.ScannerError:  # libyaml knows no escape for half a surrogate pair; PyYAML, which is slow, does
        return yaml.safe_load(text)


class _Around:
    """A collection that the walk is in."""

    __slots__ = ("anchor", "expects_key", "keys")

    def __init__(self, event: yaml.CollectionStartEvent) -> None:
        self.anchor: str | None = event.anchor
        self.keys: dict[str, int] | None = {} if isinstance(event, yaml.MappingStartEvent) else None
        self.expects_key = True

    def seen_before(self, event: yaml.Event) -> int | None:
        """The line on which a mapping had the key ``event`` before; None if it did not, or if it is no key."""
        if self.keys is None or not isinstance(event, yaml.NodeEvent):
            return None
        is_key, self.expects_key = self.expects_key, not self.expects_key
        if not is_key or not isinstance(event, yaml.ScalarEvent):
            return None
        first = self.keys.get(event.value)
        self.keys[event.value] = _line(event)
        return first


def _checked(text: str) -> None:
    aliases = 0
    around: list[_Around] = []
    for event in yaml.parse(text, Loader=_SafeLoader):  # a flat walk: safe at any depth, unlike building the nodes
        if around and (first := around[-1].seen_before(event)) is not None:
            # YAML forbids it; PyYAML takes the last, and whoever reads the file takes the first for what counts.
            key = repr(getattr(event, "value", ""))[:60]
            raise YamlError(f"the key {key} stands here for a second time, and first on line {first}", _line(event))
        if isinstance(event, yaml.CollectionStartEvent):
            around.append(_Around(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            around.pop()
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        what = ""
        if len(around) > MAX_DEPTH:
            what = f"deeper than {MAX_DEPTH} levels"
        elif aliases > MAX_ALIASES:
            what = f"more than {MAX_ALIASES} aliases"
        elif isinstance(event, yaml.AliasEvent) and event.anchor in {one.anchor for one in around}:
            what = f"*{event.anchor} stands within &{event.anchor}"
        if what:
            raise YamlLimitError(what, _line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _shortened(message: str) -> str:
    """jsonschema says the offending value first, which may be the whole file, and what is wrong with it last."""
    line = " ".join(message.split())
    return line if len(line) <= _SHOWN else f"...{line[-160:]}"


@functools.cache
def _validator(schema: str) -> Validator:
    text = resources.files("harness").joinpath(f"schemas/{schema}.schema.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))
