"""Adapters of formats that came before tool calls had deltas of their own: they give the same parts as these do.

``function_call``
    OpenAI's field before ``tool_calls``: :func:`tool_calls` makes the elements that a dialect reads today.
whole messages
    :func:`whole_message`: the parts of a message object that came in one piece.
tags in the text
    :class:`XmlToolCalls` and :class:`ThinkTags` take parts and give parts, incrementally: text goes on as soon as it
    can no longer be the beginning of a tag.
a string where an object belongs
    :class:`DoubleEncodedArguments` reports it, and decodes it if told to.
"""

from streamcore.legacy.calls import DoubleEncodedArguments, tool_calls, whole_message
from streamcore.legacy.think import ThinkTags
from streamcore.legacy.xmltools import XmlToolCalls

__all__ = ["DoubleEncodedArguments", "ThinkTags", "XmlToolCalls", "tool_calls", "whole_message"]
