"""A conversation with an index: what was asked and answered before, and follow-ups made whole by it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragcli.answer.followup import joined, points_back
from ragcli.answer.rewrite import rewrite
from ragcli.disk import read_small, replace_text
from ragcli.jsontext import parse_json
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.llm import Discreet, open_llm
from ragcli.places import state_folder
from ragcli.types import Answer, Turn

_KIND = "ragcli conversation"
# Turns that are kept, and characters of an answer or a sentence.
_KEPT = 20
_LONGEST = 4000
_LARGEST_FILE = 4_000_000

Say = Callable[[str], None]


def conversation_file(folder: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's last conversation with the index in ``folder`` is kept.

    Not in the index: several users may share that, and it may be one that cannot be written.
    """
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return state_folder(environment) / "conversations" / f"{name}.json"


class Conversation:
    """Questions to one index that may lean on those before. ``turns`` are in order, the last last."""

    def __init__(self, asker: Asker, file: Path | None, turns: list[Turn]) -> None:
        self._asker = asker
        self._file = file
        self.turns = turns

    @classmethod
    def begin(cls, asker: Asker) -> Conversation:
        """A new one. It takes the place of the one that is kept once something was answered."""
        return cls(asker, _file_of(asker), [])

    @classmethod
    def resume(cls, asker: Asker, note: Say) -> Conversation:
        """The last one; a new one, which is noted, where there is none that can be read."""
        file = _file_of(asker)
        turns = _read(file) if file is not None else []
        if not turns:
            note("note: there is no conversation with this index to continue; this question begins one")
        return cls(asker, file, turns)

    def forget(self) -> None:
        """Begin anew."""
        self.turns = []

    def standalone(self, question: str, note: Say, detail: Say) -> str:
        """``question`` as it can be understood by itself: the same where it can, or nothing came before.

        By the LLM that is set, where its reply can be used; else by the words of the turn before.
        ``note`` is told of another wording, ``detail`` how it came about. Raises
        ``ModelUnavailable`` where the LLM fails.
        """
        if not self.turns or not question.strip():
            return question
        settings = self._asker.index.settings
        analyze = self._asker.analyze
        generator = open_llm(settings)
        whole = None
        if generator is not None:
            if self._asker.index.masks:
                generator = Discreet(generator)
            whole, usage = rewrite(generator, self.turns, question, analyze)
            spent = "".join(f", {name} {count}" for name, count in usage.items())
            if whole is None:
                detail(f"the LLM's wording of the follow-up cannot be used; words are added instead{spent}")
            else:
                detail(f"the LLM worded the follow-up{spent}")
        if whole is None:
            whole = question
            if points_back(question, analyze):
                whole = joined(question, self.turns[-1], self._weights(self.turns[-1]), analyze)
        if whole != question:
            note(f"asked as: {whole}")
        return whole

    def _weights(self, turn: Turn) -> dict[str, float]:
        with self._asker.index.consistent(dense=False) as (lexical, _):
            return lexical.weights(" ".join((turn.standalone, *turn.cited)))

    def add(self, question: str, standalone: str, answer: Answer, detail: Say) -> None:
        """Remember a turn, and keep the conversation where that is possible."""
        quotes = dict.fromkeys(citation.quote[:_LONGEST] for citation in answer.citations if citation.quote)
        chunks = dict.fromkeys(citation.hit.id for citation in answer.citations)
        said = _as_told(answer)[:_LONGEST]
        turn = Turn(question[:_LONGEST], standalone[:_LONGEST], said, tuple(quotes), tuple(chunks))
        self.turns = [*self.turns, turn][-_KEPT:]
        if self._file is None:
            return
        told = {
            "kind": _KIND,
            "index": str(self._asker.index.folder),
            "turns": [asdict(turn) for turn in self.turns],
        }
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_text(self._file, json.dumps(told), private=True)
        except (OSError, ValueError) as error:  # a conversation is worth no failure
            reason = getattr(error, "strerror", None) or str(error)
            detail(f"the conversation cannot be kept: {self._file}: {reason}")


def _as_told(answer: Answer) -> str:
    """An answer's text; where its sources do not confirm all of it, its sentences, and which they do not."""
    if all(sentence.verified for sentence in answer.sentences):
        return answer.text
    return " ".join(f"{each.text}{'' if each.verified else ' [?]'}" for each in answer.sentences)


def _file_of(asker: Asker) -> Path | None:
    index = asker.index
    return conversation_file(index.folder) if index.settings.history else None


def _read(file: Path) -> list[Turn]:
    """The turns of a file; none where there is no such file, or it is of another make."""
    try:
        told = parse_json(read_small(file, _LARGEST_FILE))
        if told["kind"] != _KIND:
            return []
        return [_turn(each) for each in told["turns"]][-_KEPT:]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _turn(told: Any) -> Turn:
    texts = [told[name] for name in ("question", "standalone", "answer")]
    lists = [tuple(told[name]) for name in ("cited", "chunks")]
    if not all(isinstance(text, str) for text in (*texts, *lists[0], *lists[1])):
        raise ValueError("not a turn")
    return Turn(*texts, *lists)
