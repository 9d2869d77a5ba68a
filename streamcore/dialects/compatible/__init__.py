"""Servers that speak OpenAI's chat completions, each in its own way: a table, and the few that need code."""
