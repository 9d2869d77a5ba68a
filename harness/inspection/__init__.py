"""Looking at recordings: what is in one (:mod:`.show`), whether it can be trusted (:mod:`.validation`), how two differ
(:mod:`.comparison`), and how old they are (:mod:`.age`). Nothing here changes a file."""
