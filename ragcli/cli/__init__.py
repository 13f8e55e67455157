"""The command line: each command reads its options, calls one function and hands over the result."""

from typing import Any

from ragcli.cli.program import load_commands, main

__all__ = ["app", "main"]


def __getattr__(name: str) -> Any:
    if name == "app":  # with all commands: a command line of its own loads those that it names
        load_commands()
        from ragcli.cli.program import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
