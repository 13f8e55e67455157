"""The embedding model that the settings mean, opened: services with what the settings say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.embed import Embedder, find_model, is_service, open_embedder, open_tokenizer
from ragcli.service.addresses import is_loopback, leads_elsewhere
from ragcli.settings import Settings
from ragcli.tokens import TokenCounter

if TYPE_CHECKING:
    from ragcli.embed import Terms


def terms_of(settings: Settings, *, chosen: bool = True) -> Terms:
    """How services that embed are to be used; ``chosen`` is whether the user himself named this one."""
    from ragcli.embed import Terms

    return Terms(
        concurrency=settings.embed_concurrency,
        batch=settings.embed_batch,
        rpm=settings.embed_rpm,
        tpm=settings.embed_tpm,
        patience=settings.embed_patience,
        timeout=settings.embed_timeout,
        max_tokens=settings.embed_tokens,
        key_command=settings.key_command,
        chosen=chosen,
    )


def open_model(
    spec: str, settings: Settings, dims: int | None = None, expected: int | None = None
) -> Embedder:
    """The model that ``spec`` names; ``expected`` is the length of its vectors where an index knows it."""
    terms = None
    if is_service(spec):
        terms = terms_of(settings, chosen=_is_chosen(spec, settings, of_index=expected is not None))
    return open_embedder(
        spec, offline=settings.offline, dims=dims, terms=terms, expected=expected, device=settings.device
    )


def _is_chosen(spec: str, settings: Settings, *, of_index: bool) -> bool:
    """Whether the key in RAG_EMBED_KEY may be shown to a model's host.

    An address in an index, or in a project's file, may be a stranger's: the user says that it is his
    own by setting it as the model, or by trusting the project.
    """
    if settings.trust or not leads_elsewhere(spec) or is_loopback(spec.partition("#")[0]):
        return True
    if "model" in settings.foreign:
        return settings.model != spec
    return not of_index or settings.model == spec


def counter_of(spec: str) -> TokenCounter | None:
    """What counts a model's tokens, without the model; None where only the model itself can."""
    if is_service(spec):
        from ragcli.embed import TokenGuess

        return TokenGuess(spec)
    return open_tokenizer(find_model(spec))


def reads(spec: str, settings: Settings) -> int:
    """The most tokens of a text that a service's model reads."""
    from ragcli.embed import reads_tokens

    return reads_tokens(spec, terms_of(settings))
