"""docs/performance.md: puts what a script has made between the marks that stand there for it."""

from pathlib import Path

DOCUMENT = Path("docs/performance.md")


def with_text(document, begin, end, text):
    """The document with this text between its marks."""
    if document.count(begin) != 1 or document.count(end) != 1:
        raise ValueError(f"{DOCUMENT} must have the lines {begin!r} and {end!r} once each")
    before, rest = document.split(begin)
    return f"{before}{begin}\n\n{text}\n{end}{rest.split(end)[1]}"


def put(begin, end, text):
    """Writes the document anew with this text between its marks."""
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_text(document, begin, end, text), encoding="utf-8")
