"""Programs made from a seed, whose definitions are known, in every language that is cut at them."""

from __future__ import annotations

import random
from itertools import count

# Per file name: a class and how it ends, a method in it, a function, a statement; N stands for a name.
_C = ("", "", "", "int N(int a) {\n  return a;\n}", "int N;")
LANGUAGES = {
    ".c": _C,
    ".h": _C,
    ".cpp": (
        "class N {",
        "};",
        "  int N(int a) {\n    return a;\n  }",
        "int N(int a) {\n  return a;\n}",
        "int N;",
    ),
    ".hpp": (
        "namespace N {",
        "}",
        "int N() const {\n  return a;\n}",
        "int N(int a) {\n  return a;\n}",
        "int N;",
    ),
    ".cs": (
        "public class N : B {",
        "}",
        "  public int N(int a) {\n    return a;\n  }",
        "",
        "using N;",
    ),
    ".go": (
        "",
        "",
        "",
        "func N(a int) int {\n	return a\n}",
        "var N = 1",
    ),
    ".java": (
        "final class N extends B {",
        "}",
        "  public int N(int a) {\n    return a;\n  }",
        "",
        "import N;",
    ),
    ".js": (
        "export class N extends B {",
        "}",
        "  async N(a) {\n    return a;\n  }",
        "const N = (a) => {\n  b();\n};",
        "let N;",
    ),
    ".tsx": (
        "abstract class N {",
        "}",
        "  N(a: X): Y {\n    return <p>a</p>;\n  }",
        "export function N(a: X) {\n  b();\n}",
        "let N;",
    ),
    ".ts": (
        "namespace N {",
        "}",
        "  function N(a: X) {\n    b();\n  }",
        "interface N {\n  a: <T>(b) => T;\n}",
        "let N;",
    ),
    ".kt": (
        "class N(val a: Int) : B() {",
        "}",
        "    fun N(a: Int) {\n        b()\n    }",
        "fun N() {\n    b()\n}",
        "val N = 1",
    ),
    ".lua": (
        "",
        "",
        "",
        "local function N(a)\n  return a\nend",
        "local N = 1",
    ),
    ".php": (
        "",
        "",
        "",
        "function N($a) {\n  return $a;\n}",
        "$N = 1;",
    ),
    ".py": (
        "class N(B):",
        "",
        "    def N(self):\n        return 1",
        "async def N(a):\n    return a",
        "N = 1",
    ),
    ".rb": (
        "class N < B",
        "end",
        "  def N(a)\n    a\n  end",
        "def self.N\n  b\nend",
        "N = 1",
    ),
    ".rs": (
        "impl B for N {",
        "}",
        "    pub fn N(&self) -> C {\n        a\n    }",
        "struct N {\n    a: B,\n}",
        "use N;",
    ),
    ".scala": (
        "object N extends B {",
        "}",
        "  def N(a: Int): Int = {\n    a\n  }",
        "trait N {\n  val a: B\n}",
        "import N",
    ),
    ".sh": (
        "",
        "",
        "",
        "N() {\n  echo a\n}",
        "N=1",
    ),
    ".swift": (
        "extension N {",
        "}",
        "    func N(a: Int) -> Int {\n        b()\n    }",
        "struct N {\n    let a: Int\n}",
        "let N = 1",
    ),
}
_COMMENTS = {".py": "#", ".rb": "#", ".sh": "#", ".lua": "--"}
_ENDS = (" {", " =>", " =", ":")

PYTHON = '''#!/usr/bin/env python
# Licence: none.

"""What the module does."""

import os
import sys
LIMIT = 3

# Where things
# are kept.
@final
class Store(Base):
    """Keeps things."""

    size = 1

    def get(
        self,
        name: str,
    ) -> int:
        """Return it.

        At length.
        """
        return self.size

    other = 2


if __name__ == "__main__":
    Store().get("x")
'''


def program(suffix: str, seed: int) -> tuple[str, list[tuple[str, ...]]]:
    """A program in the language of a suffix, and the path of each definition in it."""
    chance = random.Random(seed)
    opens, closes, method, function, statement = LANGUAGES[suffix]
    comment = _COMMENTS.get(suffix, "//")
    names = (f"name_{number}" for number in count(1))
    parts = [statement.replace("N", next(names)) for _ in range(2)]
    paths: list[tuple[str, ...]] = []

    def define(template: str, *above: str) -> str:
        remark = f"{comment} About {next(names)}\n" if chance.random() < 0.5 else ""
        indent = template[: len(template) - len(template.lstrip())]
        made = template.replace("N", next(names))
        paths.append((*above, _label(made.split("\n")[0])))
        return indent * bool(remark) + remark + made

    for _ in range(chance.randint(1, 4)):
        if opens and (not function or chance.random() < 0.5):
            first = opens.replace("N", next(names))
            paths.append((_label(first),))
            body = [define(method, _label(first)) for _ in range(chance.randint(1, 3))]
            parts.append("\n".join([first, "\n\n".join(body), *([closes] if closes else [])]))
        else:
            parts.append(define(function))
    head = ["<?php"] if suffix == ".php" else []
    return "\n\n".join([*head, *parts, ""]), paths


def _label(line: str) -> str:
    for end in _ENDS:
        line = line.removesuffix(end)
    return line.strip()
