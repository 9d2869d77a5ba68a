"""OpenAI and Azure: Chat Completions, Responses, and the legacy completions."""
