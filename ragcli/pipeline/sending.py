"""What goes out for an answer: masked where that is wanted, and noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.catalog import Catalog
from ragcli.service.addresses import is_loopback
from ragcli.types import Answer, Hit, Prompt, Sent

if TYPE_CHECKING:
    from ragcli.guard import Secret

# Secrets may begin before a passage and end behind it: so many characters are looked at around it.
_AROUND = 8192


class Outgoing:
    """The texts of one prompt, in which a secret has the same placeholder wherever it stands.

    Without ``mask`` they go as they are, and are only looked through.
    """

    def __init__(self, catalog: Catalog, *, mask: bool) -> None:
        self._catalog = catalog
        self._mask = mask
        from ragcli.guard import Masking

        self._masking = Masking()
        self._originals: dict[str, Hit] = {}

    def question(self, text: str) -> str:
        """A question as it goes out."""
        if self._mask:
            return self._masking.mask(text)
        self._masking.learn(text)
        return text

    def hits(self, hits: Sequence[Hit]) -> list[Hit]:
        """Passages as they go out, in their order."""
        self._originals.update((hit.id, hit) for hit in hits)
        around = [self._around(hit) for hit in hits]
        for text, _, secrets in around:
            self._masking.learn(text, secrets)
        if not self._mask:
            return list(hits)
        mask = self._masking.mask
        return [
            replace(
                hit,
                text=self._masking.mask_part(text, start, start + len(hit.text), secrets),
                title=mask(hit.title),
                heading=tuple(mask(part) for part in hit.heading),
                lead=mask(hit.lead),
                path=mask(hit.path),
            )
            for hit, (text, start, secrets) in zip(hits, around, strict=True)
        ]

    def _around(self, hit: Hit) -> tuple[str, int, Sequence[Secret]]:
        """A passage with what stands around it, where it begins therein, and the secrets that reach into it."""
        from ragcli.guard import find_secrets

        start, end = hit.span
        first = max(0, start - _AROUND)
        text = self._catalog.slice_of(hit.document, first, end + _AROUND)
        start, end = start - first, end - first
        if text[start:end] != hit.text:  # it left the index meanwhile
            text, start, end = hit.text, 0, len(hit.text)
        secrets = [each for each in find_secrets(text) if each.start < end and start < each.end]
        return text, start, secrets

    def given_back(self, answer: Answer, question: str) -> Answer:
        """The answer with the question and the passages as they are; quotes stay as they were sent."""
        citations = tuple(
            replace(citation, hit=self._originals.get(citation.hit.id, citation.hit))
            for citation in answer.citations
        )
        return replace(answer, question=question, citations=citations)

    @property
    def kinds(self) -> Counter[str]:
        """How many different secrets of each kind were met."""
        return self._masking.kinds

    def sent(self, prompt: Prompt, to: str, *, leaves: bool, question_to: str | None) -> Sent:
        """A note of a prompt that is sent."""
        documents = dict.fromkeys(
            self._originals.get(source.hit.id, source.hit).document for source in prompt.sources
        )
        kinds: Mapping[str, int] = dict(sorted(self.kinds.items()))
        return Sent(
            to=to,
            leaves=leaves,
            sources=len(prompt.sources),
            tokens=prompt.tokens,
            exact=prompt.exact,
            characters=len(prompt.system) + len(prompt.user),
            documents=tuple(documents),
            masked=kinds if self._mask else {},
            secrets={} if self._mask else kinds,
            question_to=question_to,
        )


def destination(spec: str, service: object) -> tuple[str, bool]:
    """Where what is given to a model goes, and whether that is, or may be, another machine.

    ``service`` tells its ``host`` where it has one; a command may send on what it reads.
    """
    host = getattr(service, "host", None)
    if isinstance(host, str) and host:
        return host, not is_loopback(f"http://{host}")
    return spec, spec.startswith("cmd:")


def named(kinds: Mapping[str, int]) -> str:
    """``2 github-token, 1 password``."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
