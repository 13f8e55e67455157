"""Jupyter notebooks (nbformat 3 and 4): Markdown, code and what it put out, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.jsontext import parse_json
from ragcli.load.encoding import decode
from ragcli.load.markup.markdown import read_markdown
from ragcli.load.parsed import CannotRead, Content, Parsed
from ragcli.load.source import clean, inline
from ragcli.load.web.fragment import read_fragment
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragcli.types import Scalar


def read_notebook(content: Content) -> Parsed:
    """A cell is a page, labelled ``cell 3``. Images are left out; of an output that comes in several
    forms, one is taken: Markdown, a page's text, plain text, TeX."""
    try:
        notebook = parse_json(decode(content.data)[0])
    except CannotRead:
        raise
    except ValueError:
        raise CannotRead("damaged", "not a notebook: the content is not JSON") from None
    cells = list(_cells(notebook))
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise CannotRead("damaged", "not a notebook: it has no cells")
    writer = Writer()
    for number, cell in enumerate(cells, 1):
        writer.page(number, f"cell {number}")
        _write_cell(cell, writer)
    about = notebook.get("metadata")
    about = about if isinstance(about, dict) else {}
    return writer.parsed(_joined(about.get("title")), _metadata(about))


def _cells(notebook: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(notebook, dict):
        return
    sheets = notebook.get("worksheets")
    for part in [notebook, *(sheets if isinstance(sheets, list) else [])]:
        cells = part.get("cells") if isinstance(part, dict) else None
        yield from (cell for cell in cells if isinstance(cell, dict)) if isinstance(cells, list) else ()


def _write_cell(cell: Mapping[str, object], writer: Writer) -> None:
    kind = cell.get("cell_type")
    text = _joined(cell.get("source", cell.get("input")))
    if kind == "markdown":
        _write_markdown(text, writer)
    elif kind == "heading":
        level = cell.get("level")
        writer.heading(text, level if isinstance(level, int) else 1)
    elif kind == "code":
        writer.code(text)
    else:
        writer.paragraph(text)
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, dict):
            _write_output(output, writer)


def _write_markdown(text: str, writer: Writer) -> None:
    # A blank line before it: a cell that begins with a rule has no front matter.
    writer.blocks(read_markdown(clean(f"\n{text}")))


def _write_output(output: Mapping[str, object], writer: Writer) -> None:
    data = output.get("data")
    forms = dict(data) if isinstance(data, dict) else {}
    if "text" in output:  # a stream; in nbformat 3 also a result
        forms.setdefault("text/plain", output["text"])
    if "html" in output:
        forms.setdefault("text/html", output["html"])
    if output.get("output_type") in ("error", "pyerr"):
        trace = output.get("traceback")
        told = "\n".join(map(str, trace)) if isinstance(trace, list) else ""
        writer.code(told or f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}")
        return
    markdown, page = _joined(forms.get("text/markdown")), _joined(forms.get("text/html"))
    plain = _joined(forms.get("text/plain"))
    if markdown.strip():
        _write_markdown(markdown, writer)
    elif page.strip() and (parsed := read_fragment(page)).text.strip():
        writer.blocks(parsed)
    elif any(str(form).startswith("image/") for form in forms) and plain.startswith("<"):
        pass  # only what the image's object is called
    else:
        writer.code(plain if plain.strip() else _joined(forms.get("text/latex")))


def _joined(value: object) -> str:
    """Text, which may be kept as a list of its lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _metadata(about: Mapping[str, object]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    authors = about.get("authors")
    names = (
        [author.get("name") for author in authors if isinstance(author, dict)]
        if isinstance(authors, list)
        else []
    )
    known = ", ".join(inline(name) for name in names if isinstance(name, str) and name.strip())
    if known:
        found["author"] = known
    for key in ("kernelspec", "language_info"):
        part = about.get(key)
        language = part.get("language", part.get("name")) if isinstance(part, dict) else None
        if isinstance(language, str) and inline(language):
            found["programming_language"] = inline(language)
    return found
