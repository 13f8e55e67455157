"""``cmd:`` with real children."""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ragcli.answer import Generator, answer_with, generator_for
from ragcli.errors import ModelUnavailable

from .samples import make_hit, make_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ragcli.types import Prompt

PROMPT = make_prompt()
ECHO = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data)"


def python(code: str, *, stall: float | None = None) -> Generator:
    generator = generator_for(f"cmd:{shlex.join([sys.executable, '-c', code])}", offline=True, stall=stall)
    assert generator is not None
    return generator


def huge_prompt() -> Prompt:
    return replace(PROMPT, user="words " * 500_000)


def failure(generator: Generator, prompt: Prompt = PROMPT) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        list(generator.stream(prompt))
    message = str(caught.value)
    assert "\n" not in message
    assert "\x1b" not in message
    return message


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_the_prompt_goes_in_and_the_answer_comes_out() -> None:
    generator = python(ECHO)
    assert "".join(generator.stream(PROMPT)) == f"{PROMPT.system}\n\n{PROMPT.user}\n"
    assert generator.usage == {}
    assert not generator.truncated


def test_the_answer_streams() -> None:
    pieces = python("import os, time; print(os.getpid(), flush=True); time.sleep(3600)").stream(PROMPT)
    first = int(next(pieces))
    pieces.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    target = tmp_path / "made"
    generator = generator_for(
        f"cmd:{sys.executable} -c 'import sys; print(sys.argv[1:])' $HOME ; touch {target}"
    )
    assert generator is not None
    assert "".join(generator.stream(PROMPT)) == f"['$HOME', ';', 'touch', '{target}']\n"
    assert not target.exists()


def test_a_failure_shows_the_last_line_of_standard_error() -> None:
    message = failure(
        python("import sys; print('\\x1b[31mfirst\\nthe model is gone\\n\\n', file=sys.stderr); sys.exit(3)")
    )
    assert message.endswith("failed with exit code 3: the model is gone")


def test_a_failure_without_words() -> None:
    assert failure(python("raise SystemExit(4)")).endswith("failed with exit code 4")


def test_a_failure_after_half_an_answer_is_a_failure() -> None:
    tokens: list[str] = []
    with pytest.raises(ModelUnavailable, match="exit code 1"):
        answer_with(python("print('Half'); raise SystemExit(1)"), PROMPT, [], tokens.append)
    assert "".join(tokens).strip() == "Half"


def test_a_command_that_reads_nothing_does_not_block() -> None:
    assert "".join(python("print('hi')").stream(huge_prompt())) == "hi\n"


def test_a_command_that_answers_before_it_reads_does_not_block() -> None:
    code = "import sys; sys.stdout.write('x' * 3_000_000); sys.stdout.flush(); print(len(sys.stdin.read()))"
    out = "".join(python(code).stream(huge_prompt()))
    assert out.startswith("xxx")
    assert int(out.rstrip().lstrip("x")) > 2_000_000


def test_much_on_standard_error_does_not_block() -> None:
    code = "import sys; sys.stderr.write('noise\\n' * 500_000); print('done')"
    assert "".join(python(code).stream(PROMPT)) == "done\n"


def test_text_is_utf8_also_when_split() -> None:
    code = (
        "import sys, time; o = sys.stdout.buffer\n"
        "for b in '塔高330米é'.encode(): o.write(bytes([b])); o.flush(); time.sleep(0.002)"
    )
    assert "".join(python(code).stream(PROMPT)) == "塔高330米é"


def test_invalid_utf8_shows_as_such() -> None:
    code = "import sys; sys.stdout.buffer.write(b'a\\xff\\xfeb\\xe5')"
    assert "".join(python(code).stream(PROMPT)) == "a\ufffd\ufffdb\ufffd"


def test_a_lone_surrogate_in_the_question_is_no_crash() -> None:
    assert "".join(python(ECHO).stream(make_prompt(question="caf\udce9?")))


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_killed() -> None:
    assert failure(python("import os; os.kill(os.getpid(), 9)")).endswith("was ended by SIGKILL")


def test_a_file_that_cannot_be_run(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x00\x01nonsense")
    program.chmod(0o755)
    generator = generator_for(f"cmd:{shlex.quote(str(program))}")
    assert generator is not None
    assert failure(generator).startswith("cannot run program: ")


def test_gone_between_check_and_run(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    generator = generator_for(f"cmd:{shlex.quote(str(program))}")
    program.unlink()
    assert generator is not None
    assert "cannot run program: No such file" in failure(generator)


def test_a_stall_is_an_error_where_a_limit_is_given() -> None:
    assert "sent nothing for 0.3 s" in failure(python("import time; time.sleep(30)", stall=0.3))


def test_output_closed_but_never_ending() -> None:
    code = "import os, time; os.close(1); time.sleep(30)"
    assert "did not end within 0.3 s" in failure(python(code, stall=0.3))


@pytest.mark.skipif(os.name == "nt", reason="process groups")
def test_an_interrupt_ends_the_command_and_its_children(tmp_path: Path) -> None:
    begun, late = str(tmp_path / "begun"), str(tmp_path / "late")
    child = f"import time; open({begun!r}, 'w'); time.sleep(1.5); open({late!r}, 'w')"
    code = (
        "import subprocess, sys, time, os\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"while not os.path.exists({begun!r}): time.sleep(0.01)\n"
        "print(os.getpid(), flush=True); time.sleep(30)"
    )
    seen: list[str] = []

    def interrupt(piece: str) -> None:
        seen.append(piece)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer_with(python(code), PROMPT, [make_hit("x")], interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(seen[0]), 0)
    time.sleep(1.6)
    assert not (tmp_path / "late").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_command_deaf_to_sigterm_is_killed() -> None:
    code = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.getpid(), flush=True); time.sleep(3600)"
    )
    pieces = python(code).stream(PROMPT)
    deaf = int(next(pieces))
    pieces.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(deaf, 0)


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_grandchild_that_holds_the_pipe_is_not_waited_for() -> None:
    generator = generator_for("cmd:sh -c 'sleep 30 & echo Granite is hard [1].'")
    assert generator is not None
    assert "".join(generator.stream(PROMPT)).strip() == "Granite is hard [1]."
