"""A case against what it can be held to: the same bytes cut otherwise, the references, the whole answer."""
