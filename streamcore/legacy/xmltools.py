"""Tool calls that a model writes into its text as XML tags: ``<tool><parameter>value</parameter></tool>``.

The rules are those of Roo Code's AssistantMessageParser: a tag counts only if its name is that of a known tool, or,
inside a tool's tag, of a known parameter; there are no attributes and no entities; a value ends at the first closing tag
of its parameter and is trimmed; ``content`` is not trimmed but loses one line end at either side; and the ``content`` of
``write_to_file`` ends at the last ``</content>`` before the tool's closing tag, because files may hold that text too.
A parameter that is given twice has its last value.

The last two rules mean that no value is certain before the tool's closing tag is in. A call therefore begins with its
opening tag and has all of its arguments, a JSON object of strings, in one delta at its closing tag. A call whose closing
tag never comes is never complete. Two limits, in characters: a message that is longer is an error and the end of the
stream, a parameter that is longer is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from streamcore import jsontext
from streamcore.errors import CallerError, ErrorKind, ErrorStage, WireError
from streamcore.legacy.rewriter import FatalAdapterError, TextReader, TextRewriter
from streamcore.parts import Error, Part, ToolCall, ToolInputDelta, ToolInputEnd, ToolInputStart

MAX_MESSAGE_CHARS = 1024 * 1024
"""Characters of the text of one message."""
MAX_PARAMETER_CHARS = 100 * 1024
"""Characters of one parameter, its closing tag counted."""

_BLANK = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
"""What ECMAScript's ``trim`` removes."""
_NAME = re.compile(r"[^<>/\s]+")
_CONTENT = "content"
_MORE_CONTENT = f"</{_CONTENT}>"
_FILE_WRITER = "write_to_file"


class XmlToolCalls(TextRewriter):
    """Known tags in the text become tool calls; all other text stays text.

    Args:
        tools: names of the tools.
        parameters: names of the parameters of any of them.
        max_message_chars: see above.
        max_parameter_chars: see above.

    Raises:
        CallerError: a name cannot be that of a tag.
    """

    def __init__(
        self,
        tools: Iterable[str],
        parameters: Iterable[str],
        *,
        max_message_chars: int = MAX_MESSAGE_CHARS,
        max_parameter_chars: int = MAX_PARAMETER_CHARS,
    ) -> None:
        super().__init__()
        tools, parameters = list(dict.fromkeys(tools)), list(dict.fromkeys(parameters))
        for name in (*tools, *parameters):
            if not _NAME.fullmatch(name):
                raise CallerError(f"{name!r} is no name of a tag")
        openings = [f"<{name}>" for name in parameters]
        self._openings = _Tags(f"<{name}>" for name in tools)
        more = {_FILE_WRITER: [_MORE_CONTENT]}
        self._inside = {name: _Tags([*openings, f"</{name}>", *more.get(name, [])]) for name in tools}
        self._closings = {name: _Tags([f"</{name}>"]) for name in parameters}
        self._limits = max_message_chars, max_parameter_chars

    def reader(self, choice: int) -> TextReader:
        """One parser a choice."""
        return _XmlReader(choice, self._openings, self._inside, self._closings, self._limits)


class _Tags:
    """Some tags, to be found in text that comes in pieces."""

    def __init__(self, tags: Iterable[str]) -> None:
        tags = list(tags)
        self.search = re.compile("|".join(map(re.escape, tags)) or r"(?!)").search
        self._longest = max(map(len, tags), default=0)
        self._beginnings = {tag[:end] for tag in tags for end in range(1, len(tag))}

    def sure(self, text: str, at: int) -> int:
        """The position from which on ``text``, in which there is no tag from ``at`` on, may be the beginning of one."""
        last = text.rfind("<", max(at, len(text) - self._longest))
        return last if last >= 0 and text[last:] in self._beginnings else len(text)


class _XmlReader(TextReader):
    def __init__(
        self,
        choice: int,
        openings: _Tags,
        inside: dict[str, _Tags],
        closings: dict[str, _Tags],
        limits: tuple[int, int],
    ) -> None:
        super().__init__(choice)
        self._openings, self._inside, self._closings = openings, inside, closings
        self._max_message, self._max_parameter = limits
        self._read = 0
        self._held = ""
        self._next: Callable[[str, int, list[Part]], int | None] = self._outside
        self._calls = 0
        self._tool = ""
        self._values: dict[str, str] = {}
        self._parameter = ""
        self._value: list[str] = []
        self._value_chars = 0
        self._file: list[str] | None = None  # of write_to_file: all text after its first <content>
        self._file_chars = 0
        self._file_end = 0  # characters of that before the last </content>

    def read(self, text: str, out: list[Part]) -> None:
        room = self._max_message - self._read
        self._read += len(text)
        if len(text) > room:
            self._all(text[:room], out)
            self.flush(out)
            detail = f"the text of the message passes {self._max_message} characters"
            out.append(Error(WireError(ErrorKind.EVENT_TOO_LARGE, ErrorStage.STREAM, 0, detail)))
            raise FatalAdapterError
        self._all(text, out)

    def flush(self, out: list[Part]) -> None:
        if self._next == self._outside:
            held, self._held = self._held, ""
            self.say(held, out)

    def finish(self, out: list[Part]) -> None:
        if self._next != self._outside:
            detail = f"the tag <{self._tool}> was never closed"
            out.append(Error(WireError(ErrorKind.INVALID_PAYLOAD, ErrorStage.STREAM, 0, detail)))

    def _all(self, text: str, out: list[Part]) -> None:
        text = self._held + text
        self._held = ""
        at: int | None = 0
        while at is not None:
            at = self._next(text, at, out)

    def _outside(self, text: str, at: int, out: list[Part]) -> int | None:
        found = self._openings.search(text, at)
        if found is None:
            sure = self._hold(self._openings, text, at)
            self.say(text[at:sure], out)
            return None
        self.say(text[at : found.start()], out)
        self.take()
        self._tool = found[0][1:-1]
        self._values = {}
        self._file = None
        self._file_chars = self._file_end = 0
        self._next = self._in_tool
        out.append(ToolInputStart(self._id(), self._tool, choice=self.choice))
        return found.end()

    def _in_tool(self, text: str, at: int, out: list[Part]) -> int | None:
        tags = self._inside[self._tool]
        found = tags.search(text, at)
        if found is None:
            self._copy(text[at : self._hold(tags, text, at)])
            return None
        self._copy(text[at : found.start()])
        tag = found[0]
        if tag == f"</{self._tool}>":
            self._complete(out)
            return found.end()
        if tag.startswith("</"):
            self._file_end = self._file_chars
        else:
            self._parameter = tag[1:-1]
            self._value = []
            self._value_chars = 0
            self._next = self._in_value
        self._copy(tag)
        if tag == f"<{_CONTENT}>" and self._tool == _FILE_WRITER and self._file is None:
            self._file = []
        return found.end()

    def _in_value(self, text: str, at: int, out: list[Part]) -> int | None:  # noqa: ARG002 - one signature for all
        tags = self._closings[self._parameter]
        found = tags.search(text, at)
        end = len(text) if found is None else found.end()
        if self._value_chars + end - at > self._max_parameter:
            end = at + self._max_parameter + 1 - self._value_chars
            self._copy(text[at:end])
            self._values.pop(self._parameter, None)
            self._next = self._in_tool
            return end
        until = self._hold(tags, text, at) if found is None else found.start()
        piece = text[at:until]
        self._value.append(piece)
        self._value_chars += len(piece)
        self._copy(piece)
        if found is None:
            return None
        self._values[self._parameter] = _trimmed(self._parameter, "".join(self._value))
        if self._parameter == _CONTENT:
            self._file_end = self._file_chars
        self._copy(found[0])
        self._next = self._in_tool
        return end

    def _complete(self, out: list[Part]) -> None:
        if self._file is not None and _CONTENT in self._values:
            self._values[_CONTENT] = _trimmed(_CONTENT, "".join(self._file)[: self._file_end])
            if self._file_end + len(_MORE_CONTENT) > self._max_parameter:
                del self._values[_CONTENT]
        arguments = jsontext.stringify(self._values)
        out.append(ToolInputDelta(self._id(), arguments, None, self.choice))
        out.append(ToolInputEnd(self._id(), choice=self.choice))
        out.append(ToolCall(self._id(), self._tool, arguments, choice=self.choice))
        self._calls += 1
        self._next = self._outside

    def _id(self) -> str:
        return f"call_xml_{self.choice}_{self._calls}"

    def _copy(self, text: str) -> None:
        if self._file is not None:
            self._file.append(text)
            self._file_chars += len(text)

    def _hold(self, tags: _Tags, text: str, at: int) -> int:
        """Keeps what may be the beginning of a tag; its position."""
        sure = tags.sure(text, at)
        self._held = text[sure:]
        return sure


def _trimmed(parameter: str, value: str) -> str:
    return value.removeprefix("\n").removesuffix("\n") if parameter == _CONTENT else value.strip(_BLANK)
