"""The command line: each command reads its options, calls one function and hands over the result."""

from ragcli.cli import ask, build, chunk, keep, look, quality
from ragcli.cli.program import app, main

__all__ = ["app", "ask", "build", "chunk", "keep", "look", "main", "quality"]
