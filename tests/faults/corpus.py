"""A folder of documents that keeps changing, and a memory of every text that was ever in it."""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

WORDS = [
    "amber", "basil", "cedar", "dune", "ember", "fjord", "grove", "heron", "inlet", "juniper", "kelp",
    "lagoon", "meadow", "nettle", "orchard", "pebble", "quarry", "reed", "saffron", "thicket", "umbel",
    "valley", "willow", "yarrow", "zephyr", "anchor", "beacon", "candle", "dagger", "engine", "feather",
    "goblet", "hammer", "island", "jigsaw", "kettle", "lantern", "mirror", "needle", "oyster", "pillow",
    "ribbon", "saddle", "timber", "vessel", "wagon", "anvil", "barrel", "copper", "drawer", "easel",
    "funnel",
]  # fmt: skip
# Every chunk has it, so that a search for it must find them all.
EVERYWHERE = "dusk"
_FILLING = ["page", "tells", "of", "and", "at"]


def vocabulary(numbers: int = 1000) -> list[str]:
    """All words that any text here is made of."""
    return [*WORDS, EVERYWHERE, *_FILLING, *"#.,", *map(str, range(numbers))]


class Folder:
    """Documents under ``home/docs``: text files, and one collection of records.

    ``versions`` maps each document's id to all texts that were ever found under it.
    """

    def __init__(self, home: Path, rng: random.Random, files: int) -> None:
        self.home = home
        self.versions: dict[str, list[str]] = defaultdict(list)
        self._rng = rng
        self._count = 0
        self._texts: dict[str, str] = {}
        self._records: dict[str, str] = {}
        (home / "docs" / "deep").mkdir(parents=True)
        for _ in range(files):
            self._add()
        for _ in range(files // 4):
            self._change_record()

    def change(self, times: int) -> None:
        """Add, change, rename and delete files and records."""
        rng = self._rng
        for _ in range(times):
            rng.choice((self._add, self._edit, self._edit, self._rename, self._delete, self._change_record))()

    def grow(self, times: int) -> None:
        """Add files, and do nothing else."""
        for _ in range(times):
            self._add()

    def rewrite(self) -> None:
        """Make every text file one other passage: an index of it keeps its size."""
        for name in self.names:
            self._count += 1
            self._write(name, self._paragraph() + "\n")

    def has_held(self, document: str, text: str) -> bool:
        """Whether this was ever a passage of that document."""
        lines = [line.strip("# ") for line in text.splitlines() if line.strip("# ")]
        return bool(lines) and any(
            all(line in version for line in lines) for version in self.versions[document]
        )

    @property
    def names(self) -> Sequence[str]:
        """The text files that are there now, as an index that lies beside them names them."""
        return sorted(self._texts)

    def _text(self) -> str:
        self._count += 1
        kind = self._rng.choice(("# {title}\n\n{body}\n", "{body}\n"))
        paragraphs = [self._paragraph() for _ in range(self._rng.randint(1, 4))]
        title = f"page {self._count} of {self._rng.choice(WORDS)} at {EVERYWHERE}"
        return kind.format(title=title, body="\n\n".join(paragraphs))

    def _paragraph(self) -> str:
        words = self._rng.choices(WORDS, k=self._rng.randint(6, 14))
        return f"Page {self._count} tells of {' '.join(words[:-1])} and {words[-1]} at {EVERYWHERE}."

    def _write(self, name: str, text: str) -> None:
        self.versions[name].append(text)
        self._texts[name] = text
        (self.home / name).write_text(text, "utf-8")

    def _add(self) -> None:
        self._write(f"docs/{self._rng.choice(('', 'deep/'))}page{self._count}.{self._kind()}", self._text())

    def _kind(self) -> str:
        return self._rng.choice(("md", "txt"))

    def _edit(self) -> None:
        name = self._rng.choice(self.names)
        start, *rest = self._texts[name].split("\n\n")
        how = self._rng.random()
        if how < 0.4:
            rest.append(self._paragraph())
        elif how < 0.6 and rest:
            del rest[self._rng.randrange(len(rest))]
        else:
            start = self._text().split("\n\n")[0]
        self._write(name, "\n\n".join([start, *rest]))

    def _rename(self) -> None:
        old = self._rng.choice(self.names)
        self._count += 1
        new = f"docs/{self._rng.choice(('', 'deep/'))}moved{self._count}.{self._kind()}"
        text = self._texts.pop(old)
        self.versions[new].append(text)
        self._texts[new] = text
        (self.home / old).rename(self.home / new)

    def _delete(self) -> None:
        if len(self._texts) > 5:
            name = self._rng.choice(self.names)
            del self._texts[name]
            (self.home / name).unlink()

    def _change_record(self) -> None:
        name = "docs/records.jsonl"
        known = self._rng.choice([*self._records, ""])
        if known and self._rng.random() < 0.3:
            del self._records[known]
        else:
            self._count += 1
            record = known or f"r{self._count}"
            self._records[record] = self._paragraph()
            self.versions[f"{name}#{record}"].append(self._records[record])
        lines = [json.dumps({"_id": record, "text": text}) for record, text in self._records.items()]
        # In place of the old file in one go: half a line would be a record that cannot be read.
        partial = self.home / ".records"
        partial.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        os.replace(partial, self.home / name)
