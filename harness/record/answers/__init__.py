"""What the simulated providers answer when they are not asked for a stream: the same, whole.

Each module writes the body from the documented form of the API's whole answers, and from the scenario's reply alone. None
of them sees the events of the stream: a whole that was folded out of them would agree with them whatever they said.
The content of both answers is the same (texts, calls with their ids, signatures, token counts); the response's id and
time are not, as with two requests to a real service.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.record.answers import anthropic_messages, bedrock_converse, gemini, openai_chat, openai_responses
from harness.record.wire import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.record.scenarios import Scenario

    Whole = Callable[[str, Mapping[str, Any], Mapping[str, Any]], bytes]
    """From the scenario's name, its reply and the request to the body."""

ANSWERS: Mapping[str, Whole] = {
    "anthropic-messages": anthropic_messages.whole,
    "bedrock-converse-stream": bedrock_converse.whole,
    "bedrock-invoke-with-response-stream": partial(anthropic_messages.whole, host="bdrk_"),
    "gemini-generateContent": gemini.whole,
    "gemini-generateContent-json-array": gemini.whole,
    "openai-chat": openai_chat.whole,
    "openai-responses": openai_responses.whole,
    "vertex-anthropic": partial(anthropic_messages.whole, host="vrtx_"),
    "vertex-gemini": partial(gemini.whole, vertex=True),
}
"""Dialect -> what writes its whole answers."""


def whole_answer(scenario: Scenario, request: Mapping[str, Any]) -> bytes:
    """The body that the simulated provider gives for ``request``, which does not ask for a stream.

    Raises:
        ScenarioError: the scenario says what a whole answer cannot say, or nobody writes those of its dialect.
    """
    writer = ANSWERS.get(scenario.dialect)
    name = f"{scenario.dialect}/{scenario.name}"
    if writer is None or scenario.reply is None or not scenario.reply.get("finish"):
        raise ScenarioError(f"{name}: twin: the simulator has no whole answer for it")
    try:
        return writer(scenario.name, scenario.reply, request)
    except ScenarioError as error:
        raise ScenarioError(f"{name}: twin: {error}") from error
