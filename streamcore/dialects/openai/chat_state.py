"""How far a stream of OpenAI Chat Completions has come."""

from __future__ import annotations

from typing import Any

from streamcore.dialects.base import StreamState
from streamcore.dialects.openai.repeats import Repeat
from streamcore.dialects.openai.varying_repeats import VaryingRepeat
from streamcore.state import Frozen, State
from streamcore.toolcalls import ToolCallAssembler


class ChoiceState(State):
    """One choice."""

    __slots__ = ("finish", "refused", "text_open", "tools")

    def __init__(self, index: int) -> None:
        self.text_open = False
        self.refused = False
        self.finish: str | None = None
        self.tools = ToolCallAssembler(index)


class ChatState(StreamState):
    """The stream."""

    __slots__ = (
        "choices",
        "created",
        "described",
        "erred",
        "id",
        "metadata",
        "misses",
        "model",
        "repeat",
        "sources",
        "usage",
    )

    def __init__(self) -> None:
        super().__init__()
        self.choices: dict[int, ChoiceState] = {}
        self.described = False
        """``response-metadata`` is out."""
        self.id: Any = None
        self.model: Any = None
        self.created: Any = None
        """The last three values that passed full validation: equal ones need not be checked again."""
        self.erred = False
        """An error came, and no finish reason behind it."""
        self.usage: Frozen | None = None
        self.metadata: Frozen | None = None
        self.sources = 0
        self.repeat: Repeat | VaryingRepeat | None = None
        """What the next frame may repeat."""
        self.misses = 0
        """Frames in a row that repeated none, though they did no more than such a frame does."""

    def choice(self, index: int) -> ChoiceState:
        """The choice of that index."""
        choice = self.choices.get(index)
        if choice is None:
            choice = self.choices[index] = self.new_choice(index)
        return choice

    def new_choice(self, index: int) -> ChoiceState:
        """A choice of which nothing was seen yet."""
        return ChoiceState(index)
