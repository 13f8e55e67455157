"""The parts of README that come from the program; ``make docs`` writes them anew."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click
from typer.testing import CliRunner

from ragcli.cli import app
from ragcli.load.formats import CODE, FORMATS
from ragcli.settings import MEANINGS, NAMES, Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
MEASURED = (
    *("quality", "ablation", "lexical", "refusal", "chunking", "incremental", "recall", "rerank_speed"),
    *("loaders", "pdf", "citations", "services", "answers", "contextual", "encoders", "peers", "scale"),
    *("million", "runtimes"),
)

SESSION = (
    "rag index sample_docs",
    'rag search "how do I get a lost sensor back" -k 2',
    'rag query "At how much free disk space does the core leave reserve mode?"',
    'rag query "温度低到多少要放下保温帘？"',
    'rag query "Who won the football world cup in 1998?"',
)

# Runs the words of a command and gives what it printed, stdout before stderr, and its exit code.
Run = Callable[[list[str]], tuple[str, int]]


def reference() -> str:
    """The command reference in Markdown, the same whatever the width of the terminal."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="rag")
    text = get_docs_for_click(obj=command, ctx=context, name="rag")
    # One level deeper, so that it stands as a chapter of README.
    return re.sub(r"^(#+)", r"#\1", text, flags=re.MULTILINE).strip()


def settings() -> str:
    """Every setting with its default."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for field in (field for field in fields(Settings) if field.name in NAMES):
        default: Any = field.default
        lines.append(f"| `{field.name}` | {'' if default is None else default} | {MEANINGS[field.name]} |")
    return "\n".join(lines)


def formats() -> str:
    """Every format that is read, as ``rag list`` names it, and the endings that tell it."""
    endings: dict[str, list[str]] = {}
    for suffix, name in FORMATS.items():
        endings.setdefault("source code" if name in CODE else name, []).append(f"`{suffix}`")
    code = endings.pop("source code")
    rows = [f"| {name} | {' '.join(sorted(each))} |" for name, each in sorted(endings.items())]
    return "\n".join(
        ["| format | endings |", "|---|---|", *rows, f"| source code | {' '.join(sorted(code))} |"]
    )


def session(run: Run) -> str:
    """A terminal session on sample_docs; the time it took is no part of it."""
    lines = ["```console"]
    for command in SESSION:
        printed, code = run(shlex.split(command)[1:])
        timeless = re.sub(r", [\d.]+ s$|^indexing: .*\n", "", printed.strip(), flags=re.MULTILINE)
        lines += [f"$ {command}", timeless]
        if code:
            lines += ["$ echo $?", str(code)]
    return "\n".join([*lines, "```"])


def measured(name: str) -> str:
    """The table of the last measurement, how it was measured and on what."""
    found = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return f"{found['table']}\n\nMeasured by `{found['command']}` on {found['date']}: {found['machine']}."


def with_part(readme: str, name: str, content: str) -> str:
    """README with ``content`` between the marks of a part."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = readme.split(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"


def part(readme: str, name: str) -> str:
    """What stands between the marks of a part."""
    return readme.split(f"<!-- {name}: begin -->\n")[1].split(f"\n<!-- {name}: end -->")[0]


def _run(words: list[str]) -> tuple[str, int]:
    result = CliRunner().invoke(app, ["--offline", *words])
    return result.stdout + result.stderr, result.exit_code


def main() -> None:
    """Write README anew."""
    readme = README.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "sample_docs", Path(folder) / "sample_docs")
        os.chdir(folder)
        readme = with_part(readme, "session", session(_run))
        os.chdir(ROOT)
    readme = with_part(readme, "settings", settings())
    readme = with_part(readme, "formats", formats())
    readme = with_part(readme, "reference", reference())
    for name in MEASURED:
        readme = with_part(readme, name, measured(name))
    README.write_text(readme, "utf-8")
    sys.stderr.write(f"{README.name} is up to date\n")


if __name__ == "__main__":
    main()
