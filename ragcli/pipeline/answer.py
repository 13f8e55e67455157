"""From what a search found to a prompt over it, and to an answer whose citations were checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ragcli.answer import answer_with
from ragcli.budget import counter_for
from ragcli.pipeline.ask import Asker, Found, Question
from ragcli.pipeline.llm import open_llm, with_context
from ragcli.pipeline.quoting import least_evidence, quote, strongest_evidence
from ragcli.pipeline.sending import Outgoing, destination, named
from ragcli.plain import one_line
from ragcli.prompt import build_prompt, read_template
from ragcli.types import Answer, Hit, Prompt, Sentence

# Tokens left for the answer unless it is said how many.
_ANSWER_SHARE = 1024


class Answerer:
    """Answers from the index that ``asker`` asks, by the LLM that is set or by quoting."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._index = asker.index
        self._settings = settings = with_context(self._index.settings)
        # Read before anything is searched: a mistake there should cost nothing.
        self._system = read_template(Path(settings.system_file)) if settings.system_file else None
        self._template = (
            read_template(Path(settings.template_file), ("context", "question"))
            if settings.template_file
            else None
        )

    def _room(self) -> int | None:
        """Tokens that a prompt may have: the model's context less the answer's share."""
        context = self._settings.llm_context
        if context is None:
            return None
        return context - (self._settings.llm_answer or min(_ANSWER_SHARE, context // 4))

    def outgoing(self) -> Outgoing:
        """What the texts of one prompt go through."""
        return Outgoing(self._index.catalog, mask=self._index.masks)

    def prompt(self, query: str, hits: Sequence[Hit], outgoing: Outgoing | None = None) -> Prompt:
        """The prompt over hits, within the budget that is set. ``hits`` must not be empty.

        Secrets are masked in it where that is set.
        """
        outgoing = outgoing or self.outgoing()
        query, hits = outgoing.question(query), outgoing.hits(hits)
        settings = self._settings
        ranks = settings.tiktoken_ranks
        llm = None if settings.llm == "none" else settings.llm
        return build_prompt(
            query, hits, budget=settings.budget, count=counter_for(llm, ranks=Path(ranks) if ranks else None),
            room=self._room(), system=self._system, template=self._template,
        )  # fmt: skip

    def answer(
        self,
        query: str,
        *,
        on_hits: Callable[[Sequence[Hit]], None],
        on_token: Callable[[str], None],
        on_sentence: Callable[[Sentence], None] = lambda _: None,
        note: Callable[[str], None],
        find: Callable[[str], tuple[Question, Found]] | None = None,
    ) -> Answer:
        """Answer a question, over what ``find`` finds for it where another search is wanted.

        ``on_hits`` is told what was found before anything is answered, ``on_token`` gets the
        answer's pieces and ``on_sentence`` each sentence once it was checked, ``note`` what a
        reader should know besides. An answer that the sources do not support has ``answered`` False.
        """
        settings = self._settings
        generator = open_llm(settings)
        question, found = (find or self._asker.find)(query)
        hits = found.hits
        on_hits(hits)
        if not hits:
            return Answer(query, False, "", (), settings.llm, {}, hits)
        least = least_evidence(self._asker, llm=generator is not None)
        if strongest_evidence(self._asker, question, hits) < least:
            return Answer(query, False, "", (), settings.llm, {}, hits)
        outgoing = self.outgoing()
        prompt = self.prompt(query, hits, outgoing)
        if generator is not None:
            to, leaves = destination(settings.llm, generator)
            sent = outgoing.sent(prompt, to, leaves=leaves, question_to=self._asker.question_to)
            if leaves and sent.secrets:
                note(
                    f"{one_line(to, 60)} is sent what looks like secrets ({named(sent.secrets)}); "
                    f"--mask-secrets replaces them"
                )
            answer = answer_with(
                generator, prompt, hits, on_token, note=note, on_sentence=on_sentence, strict=settings.strict
            )
            return replace(outgoing.given_back(answer, query), sent=sent)
        answer = outgoing.given_back(quote(self._asker, question, prompt, hits), query)
        if answer.text:
            on_token(answer.text)
        return answer
