"""Cohere: the chat API, versions 2 and 1."""
