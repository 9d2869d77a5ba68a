"""xAI: Chat Completions and Responses, each with its own reference."""
