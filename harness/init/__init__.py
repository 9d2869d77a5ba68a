"""``streamparity init``: what a project needs to hold its own parser against recordings, written into its folder.

Nothing is asked, and nothing that is there is lost: a file that exists is kept unless ``force`` is given, and files that
are the user's in any case (``pyproject.toml``, ``pytest.ini``, ``.gitattributes``, the manifest of the goldens) are only
added to. Where one of them cannot be read, nothing is written.
"""
