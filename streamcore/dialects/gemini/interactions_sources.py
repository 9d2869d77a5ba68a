"""Sources out of an Interactions stream: citations of its text, and the results of Google's own tools.

As ``@ai-sdk/google`` has them: each address and each document once in a stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_ADDRESSES: Final = ("http://", "https://")
_MEDIA_TYPES: Final = {
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class Found(NamedTuple):
    """A source: an address, or a document that has none."""

    url: str | None = None
    title: str | None = None
    media_type: str | None = None
    filename: str | None = None

    @property
    def key(self) -> str:
        """What makes it the same as another."""
        return f"url:{self.url}" if self.url is not None else f"doc:{self.filename or self.title}"


def _named(place: str, title: str | None, file_name: str | None, *, is_citation: bool) -> Found:
    """The source at an address, or the document of that name."""
    if place.startswith(_ADDRESSES):
        return Found(place, file_name if is_citation else title)
    filename = file_name if file_name is not None else place.rpartition("/")[2] or None
    media_type = next(
        (kind for end, kind in _MEDIA_TYPES.items() if place.lower().endswith(end)), "application/octet-stream"
    )
    shown = next(name for name in (None if is_citation else title, filename, place) if name is not None)
    return Found(None, shown, media_type, filename)


def _place(entry: dict[str, Any]) -> str:
    """Where a file is: its address, else its document's, else its name."""
    return next((entry[key] for key in ("url", "document_uri", "file_name") if entry.get(key) is not None), "")


def of_annotations(annotations: list[dict[str, Any]] | None) -> Iterator[Found]:
    """The sources that citations name."""
    for one in annotations or ():
        if one["type"] == "url_citation" and one.get("url"):
            yield Found(one["url"], one.get("title"))
        elif one["type"] == "place_citation" and one.get("url"):
            yield Found(one["url"], one.get("name"))
        elif one["type"] == "file_citation" and _place(one):
            yield _named(_place(one), None, one.get("file_name"), is_citation=True)


def of_result(kind: str, result: Any) -> Iterator[Found]:
    """The sources that the result of one of Google's tools names; what is not as documented names none."""
    for entry in _objects(result):
        if kind == "google_maps_result":
            for place in _objects(entry.get("places")):
                yield from _address(place, "name")
        elif kind == "url_context_result":
            if entry.get("status") in (None, "success"):
                yield from _address(entry, "")
        elif kind == "google_search_result":
            yield from _address(entry, "title")
        elif kind == "file_search_result":
            known = ("url", "document_uri", "file_name", "title")
            texts = {key: entry[key] for key in known if isinstance(entry.get(key), str)}
            if _place(texts):
                yield _named(_place(texts), texts.get("title"), texts.get("file_name"), is_citation=False)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _address(entry: dict[str, Any], title_key: str) -> Iterator[Found]:
    url, title = entry.get("url"), entry.get(title_key)
    if isinstance(url, str) and url:
        yield Found(url, title if isinstance(title, str) else None)
