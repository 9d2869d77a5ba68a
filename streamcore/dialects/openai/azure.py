"""OpenAI's chat completions as others serve them: Azure, and gateways that pass the bytes on."""

from __future__ import annotations

from streamcore.dialects.openai.chat import OpenAIChat


class AzureOpenAI(OpenAIChat):
    """``azure-openai``: the same API (Azure's reference, "Chat completions"), with Azure's content filter beside it.

    The first chunk holds ``prompt_filter_results``, no choice, an empty id and the time 0, and describes nothing; a
    choice may hold ``content_filter_results``, and be in a chunk with nothing else. None of this is content. The key of
    the metadata is OpenAI's here too.
    """

    name = "azure-openai"


class GatewayOpenAIChat(OpenAIChat):
    """``gateway-openai-chat``: OpenAI's own chunks, wrapped up by nobody."""

    name = "gateway-openai-chat"
