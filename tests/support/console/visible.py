"""What somebody reads of a page: its text without marks, scripts, documents and inputs' own values."""

from html.parser import HTMLParser

_UNREAD = frozenset({"script", "style", "pre", "textarea", "title"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # An example to be typed as it stands is code; an identifier is not, and must be in words.
        if tag in _UNREAD or (tag == "code" and not attrs):
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.parts.append(data)


def visible_text(page: str) -> str:
    """All that is read, in order."""
    reader = _Reader()
    reader.feed(page)
    return " ".join(" ".join(reader.parts).split())
