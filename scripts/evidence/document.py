"""The documents that show tables: puts what a question has made between the marks that stand there for it."""

from pathlib import Path

PERFORMANCE = Path("docs/performance.md")


def with_text(document, name, text):
    """The document with this text between the marks of a question."""
    begin, end = f"<!-- {name}: made by scripts/evidence/run {name} -->", f"<!-- {name}: end -->"
    if document.count(begin) != 1 or document.count(end) != 1:
        raise ValueError(f"the document must have the lines {begin!r} and {end!r} once each")
    before, rest = document.split(begin)
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end)[1]}"


def put(path, name, text):
    """Writes the document anew with this text between the marks of a question."""
    document = path.read_text(encoding="utf-8")
    path.write_text(with_text(document, name, text), encoding="utf-8")


def add_write(parser, path):
    """The flag that every question with a table has."""
    parser.add_argument("--write", action="store_true", help=f"put the table into {path}")
