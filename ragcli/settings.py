"""Settings and where each came from: flag, environment, project file, user file, default.

``rag.toml`` beside the index (or ``[tool.rag]`` of a ``pyproject.toml`` there) and the user's own
``rag.toml`` hold the same keys as the fields of :class:`Settings`, with ``-`` or ``_``.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ragcli.errors import UsageError

INDEX_FOLDER = ".rag"
SETTINGS_FILE = "rag.toml"
DEFAULT_MODEL = "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. ``None`` means: as the index was made, or not set."""

    index: str | None = None
    model: str | None = None
    dims: int | None = None
    device: str = "auto"
    jobs: int | None = None
    embed_concurrency: int = 8
    embed_batch: int = 256
    embed_rpm: float | None = None
    embed_tpm: float | None = None
    embed_price: float | None = None
    embed_tokens: int | None = None
    embed_patience: float = 120.0
    embed_timeout: float = 120.0
    chunk_size: int | None = None
    overlap: int | None = None
    chunker: str | None = None
    context: str | None = None
    context_concurrency: int = 4
    context_window: int = 6000
    languages: str | None = None
    k: int = 10
    mode: str = "hybrid"
    fusion: str = "convex"
    dense_weight: float = 0.5
    min_score: str | None = None
    mmr: float | None = None
    passages: bool = False
    rerank: bool = False
    reranker: str | None = None
    rerank_candidates: int = 30
    rerank_weight: float = 0.5
    rerank_budget_ms: float | None = None
    budget: int = 3000
    min_evidence: str = "0.35"
    flagged: str = "keep"
    mask_secrets: bool | None = None
    llm: str = "none"
    llm_timeout: float | None = None
    llm_first_token: float | None = None
    llm_context: int | None = None
    llm_answer: int | None = None
    llm_price: str | None = None
    key_command: str | None = None
    system_file: str | None = None
    template_file: str | None = None
    strict: bool = False
    history: bool = True
    tiktoken_ranks: str | None = None
    max_file_mb: float = 50.0
    file_seconds: float = 120.0
    ocr: str | None = None
    loaders: tuple[tuple[str, str], ...] = ()
    trust: bool = False
    offline: bool = False
    wait: float = 10.0
    # Not set but derived: of `llm` and `model`, those that a project's file names and nobody trusts.
    foreign: tuple[str, ...] = ()


MEANINGS: Mapping[str, str] = {
    "index": "the index folder; otherwise the nearest `.rag/`",
    "model": "embedding model: a name or a folder",
    "dims": "components of the model's vectors that are taken, from the first; otherwise all",
    "device": "where a model reads documents: cpu, cuda, cuda:1, mps or xpu, as torch has them, or auto: the "
    "CPU for those that are compiled here, else as torch chooses",
    "jobs": "processes that read files, and threads of a model; otherwise one for each core",
    "embed_concurrency": "requests to an embedding service that are under way at once",
    "embed_batch": "texts that a request to it holds at most",
    "embed_rpm": "requests a minute that an embedding service allows; otherwise as it answers",
    "embed_tpm": "tokens a minute that it allows; otherwise as it answers",
    "embed_price": "what a million tokens cost there, in any currency; otherwise no cost is told",
    "embed_tokens": "most tokens of a text that its model reads; otherwise 8191 for OpenAI's, 512 for others",
    "embed_patience": "seconds for which a service that fails is asked again",
    "embed_timeout": "seconds in which a service has to answer a request",
    "chunk_size": "most tokens of a chunk, as the model counts; otherwise as many as it reads",
    "overlap": "tokens that neighbouring chunks share",
    "chunker": "how documents are cut: structure, recursive, sentence, semantic or page; otherwise structure",
    "context": "what is embedded and searched with a chunk's text: some of title, headings, lead and llm (written "
    "by the LLM that is set), or none; headings alone means the first three, llm alone all; otherwise headings",
    "context_concurrency": "contexts that an LLM is asked for at once",
    "context_window": "most tokens of a document that an LLM is shown with each chunk",
    "languages": "languages whose inflections are searched as one word, as in `en,de`; otherwise English",
    "k": "passages that a search gives",
    "mode": "lists to search: hybrid, dense or lexical",
    "fusion": "how two lists become one: convex or rrf",
    "dense_weight": "the dense list's share, between 0 and 1",
    "min_score": "least evidence of a passage, between 0 and 1, or auto: as the index itself tells",
    "mmr": "the relevance's share, between 0 and 1, where hits shall differ from each other",
    "passages": "merge hits that stand near each other in a document",
    "rerank": "let a cross-encoder put the best passages in order",
    "reranker": "the cross-encoder: a name or a folder",
    "rerank_candidates": "passages that it reads",
    "rerank_weight": "its share in a passage's score, between 0 and 1",
    "rerank_budget_ms": "milliseconds that it may read, loading not counted; otherwise no limit",
    "budget": "most tokens of the sources in a prompt",
    "min_evidence": "evidence of the best passage, between 0 and 1, below which nothing is quoted and, below "
    "seven tenths of it, no LLM is asked; or auto: as the index itself tells",
    "flagged": "passages that look like instructions to a model: keep them in prompts, marked, or drop them",
    "mask_secrets": "replace keys, tokens and passwords in what a model is given; otherwise as the index was made",
    "llm": "what writes the answer",
    "llm_timeout": "seconds an LLM may send nothing once it has begun; otherwise 60, and no limit for commands",
    "llm_first_token": "seconds it may take to begin, since many think first; otherwise 300, and no limit for commands",
    "llm_context": "tokens that the LLM reads and writes in all; otherwise as a local server says, or unknown",
    "llm_answer": "most tokens of an answer; otherwise the LLM's own limit, and 1,024 of its context are left for it",
    "llm_price": "what a million tokens cost, sent and received, as in `0.15/0.60`; otherwise no cost is told",
    "key_command": "prints a service's key, as in `secret-tool lookup service {service}`; "
    "a project's file cannot say so unless it is trusted",
    "system_file": "a file with the instructions to the LLM, `{language}` where its answer's language is named",
    "template_file": "a file with what the LLM is asked, `{context}` and `{question}` where they belong",
    "strict": "leave out of an LLM's answer what its sources do not confirm",
    "history": "remember this user's last conversation with an index, for `rag query --continue`",
    "tiktoken_ranks": "a `.tiktoken` file to count a prompt's tokens with",
    "max_file_mb": "larger files are left out",
    "file_seconds": "seconds after which a file that cannot be read is given up",
    "ocr": "languages, as in `eng+chi_sim`, in which tesseract reads pictures of text; otherwise none is read",
    "loaders": 'a table, in a file: `".xyz" = "command {path}"` reads such files with a command\'s output',
    "trust": "run the commands and ask the addresses that a project's file names; only the user's own file, "
    "the environment or a flag can say so",
    "offline": "open no network connection",
    "wait": "seconds to wait for another process",
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    "mode": ("hybrid", "dense", "lexical"),
    "fusion": ("convex", "rrf"),
    "flagged": ("keep", "drop"),
    "chunker": ("structure", "recursive", "sentence", "semantic", "page"),
}
# Words of which a text is a list, and the one that stands for an empty list.
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"context": ("title", "headings", "lead", "llm")})
# Words that stand for several when they are given alone.
WHOLE: Mapping[str, str] = MappingProxyType(
    {"headings": "title,headings,lead", "llm": "title,headings,lead,llm"}
)
NONE = "none"
# Smallest and largest value that makes sense.
RANGES: Mapping[str, tuple[float, float]] = {
    "dims": (1, 1_000_000),
    "jobs": (1, 1024),
    "embed_concurrency": (1, 256),
    "embed_batch": (1, 2048),
    "embed_rpm": (0.1, 10_000_000.0),
    "embed_tpm": (100.0, 1_000_000_000_000.0),
    "embed_price": (0.0, 1_000_000.0),
    "embed_tokens": (32, 1_000_000),
    "embed_patience": (0.0, 86_400.0),
    "embed_timeout": (0.1, 86_400.0),
    "chunk_size": (16, 1_000_000),
    "overlap": (0, 1_000_000),
    "context_concurrency": (1, 256),
    "context_window": (200, 10_000_000),
    "k": (1, 10_000),
    "dense_weight": (0.0, 1.0),
    "min_score": (0.0, 1.0),
    "mmr": (0.0, 1.0),
    "rerank_candidates": (1, 10_000),
    "rerank_weight": (0.0, 1.0),
    "rerank_budget_ms": (1.0, 3_600_000.0),
    "budget": (50, 10_000_000),
    "min_evidence": (0.0, 1.0),
    "llm_timeout": (0.1, 86_400.0),
    "llm_first_token": (0.1, 86_400.0),
    "llm_context": (256, 100_000_000),
    "llm_answer": (16, 10_000_000),
    "max_file_mb": (0.001, 1_000_000.0),
    "file_seconds": (1.0, 86_400.0),
    "wait": (0.0, 86_400.0),
}
# Texts with commas that a file may also hold as a list.
_LISTS = frozenset({"languages", "context"})
_NUMBER_OR_AUTO = frozenset({"min_score", "min_evidence"})
# Texts of a form, and an example of it.
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "llm_price": (
        re.compile(r"\s*\d+(\.\d+)?\s*/\s*\d+(\.\d+)?\s*", re.ASCII),
        "two prices, as in 0.15/0.60",
    ),
    "device": (
        re.compile(r"auto|cpu|(cuda|mps|xpu)(:\d{1,3})?", re.ASCII),
        "auto, cpu, cuda, cuda:1, mps or xpu",
    ),
    "key_command": (
        re.compile(r"\s*[^\s{]+\s.*\{service\}.*"),
        "a command that says where {service} goes, as in: secret-tool lookup service {service}",
    ),
}
# What no stranger's file may name by itself: it could run a command, or send keys and passages to him.
_GUARDED = ("llm", "model")
NAMES = tuple(field.name for field in fields(Settings) if field.name != "foreign")
# Files that are read and sent; one that a project's file names must lie in the project.
_PATHS = frozenset({"system_file", "template_file"})
_TYPES = {field.name: str(field.type).removesuffix(" | None") for field in fields(Settings)}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings in force and, by name, where each came from.

    ``untrusted`` are the suffixes for which a project's file names a command that is not to be run.
    """

    settings: Settings
    origins: Mapping[str, str]
    untrusted: tuple[str, ...] = ()


def resolve(flags: Mapping[str, Any], folder: Path, environment: Mapping[str, str] = os.environ) -> Resolved:
    """Settings in force for an index (to be) kept in ``folder``.

    ``flags`` whose value is None were not given. Raises ``UsageError`` for an unknown key, a value
    of the wrong type or outside its range, and a file that is not TOML.
    """
    settings = Settings()
    origins = dict.fromkeys(NAMES, "default")
    files = _files(folder, environment)
    own = str(user_file(environment))
    loaders: dict[str, str] = {}
    foreign: dict[str, str] = {}
    for origin, values in files:
        if "index" in values:  # it would have to be read from the folder it names
            raise UsageError(f"{origin}: index is set by --index or RAG_INDEX; take it out of the file")
        if "trust" in values and origin != own:  # whoever wrote the project would trust himself
            raise UsageError(
                f"{origin}: trust is set by --trust, RAG_TRUST or {own}; take it out of the file"
            )
    strangers = {origin for origin, _ in files if origin != own}
    trust = _trusts(dict(files).get(own, {}), environment, flags)
    for origin, values in (
        *files,
        ("environment", _from_environment(environment)),
        ("flag", {name: value for name, value in flags.items() if value is not None}),
    ):
        checked = {_known(name, origin): value for name, value in values.items()}
        checked = {name: _checked(name, value, origin) for name, value in checked.items()}
        if origin not in ("environment", "flag"):
            for name in _PATHS & checked.keys():
                checked[name] = _beside(name, checked[name], origin, own=origin == own)
        (loaders if origin == own else foreign).update(checked.get("loaders", ()))
        if origin in strangers and not trust:
            checked.pop("key_command", None)
        settings = replace(settings, **checked)
        origins.update(
            {name: f"RAG_{name.upper()}" if origin == "environment" else origin for name in checked}
        )
    if trust:
        loaders.update(foreign)
    named = () if trust else tuple(name for name in _GUARDED if origins[name] in strangers)
    settings = replace(settings, loaders=tuple(sorted(loaders.items())), foreign=named)
    return Resolved(settings, origins, () if trust else tuple(sorted(foreign)))


def _trusts(own: Mapping[str, Any], environment: Mapping[str, str], flags: Mapping[str, Any]) -> bool:
    """Whether the user says that what a project's file names may be run and asked."""
    said = [flags.get("trust"), environment.get("RAG_TRUST") or None, own.get("trust")]
    return next((_converted("bool", value) is True for value in said if value is not None), False)


def user_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's own ``rag.toml`` lies, whether it exists or not."""
    if sys.platform == "win32":
        base = environment.get("APPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Roaming")
    else:
        base = environment.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "ragcli" / SETTINGS_FILE


def find_index(start: Path, given: str | None) -> tuple[Path, bool]:
    """The index folder and whether it exists: the given one, else the nearest ``.rag`` upwards.

    Where there is none, the answer is ``start/.rag``.
    """
    if given:
        folder = Path(os.path.expanduser(given)).resolve()
        return folder, folder.is_dir()
    start = start.resolve()
    for parent in (start, *start.parents):
        if (parent / INDEX_FOLDER).is_dir():
            return parent / INDEX_FOLDER, True
    return start / INDEX_FOLDER, False


def _files(folder: Path, environment: Mapping[str, str]) -> list[tuple[str, Mapping[str, Any]]]:
    """The settings files that exist, weakest first."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    user = user_file(environment)
    if os.path.isfile(user) and os.access(user, os.R_OK):  # not another user's, under sudo
        found.append((str(user), _read_toml(user)))
    project, own = folder.parent / "pyproject.toml", folder.parent / SETTINGS_FILE
    if own.is_file():
        found.append((str(own), _read_toml(own)))
    elif project.is_file():
        tool = _read_toml(project).get("tool", {})
        table = tool.get("rag", {}) if isinstance(tool, dict) else tool
        if not isinstance(table, dict):
            raise UsageError(f"{project}: [tool.rag] is not a table")
        found.append((str(project), table))
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise UsageError(f"{path}: not a readable TOML file: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name in NAMES if (value := environment.get(f"RAG_{name.upper()}", "")) != ""}


def _known(name: str, origin: str) -> str:
    plain = name.replace("-", "_")
    if plain in NAMES:
        return plain
    near = get_close_matches(plain, NAMES, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; `rag config` lists the settings"
    raise UsageError(f"{origin}: unknown setting {name!r}{hint}")


def _checked(name: str, value: Any, origin: str) -> Any:
    flag = "-k" if name == "k" else f"--{name.replace('_', '-')}"
    where = {"environment": f"RAG_{name.upper()}", "flag": flag}.get(origin, f"{origin}: {name}")
    if name == "loaders":
        return _loaders(value, where)
    if name in _LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ",".join(value)
    if name in _NUMBER_OR_AUTO and value != "auto":
        number = _converted("float", value)
        if number is None:
            raise UsageError(f"{where}: {value!r} is neither a number nor auto")
        low, high = RANGES[name]
        if not low <= number <= high:
            raise UsageError(f"{where}: {value} is not between {low:g} and {high:g}")
        return str(number)
    converted = _converted(_TYPES[name], value)
    if converted is None:
        raise UsageError(f"{where}: {value!r} is not {_SORTS[_TYPES[name]]}")
    if name in _FORMS and not _FORMS[name][0].fullmatch(converted):
        raise UsageError(f"{where}: not {_FORMS[name][1]}")
    if name in PARTS:
        return _listed(converted, PARTS[name], where)
    if name in CHOICES and converted not in CHOICES[name]:
        raise UsageError(f"{where}: {value!r} is none of {', '.join(CHOICES[name])}")
    if name in RANGES and name not in _NUMBER_OR_AUTO and not RANGES[name][0] <= converted <= RANGES[name][1]:
        low, high = RANGES[name]
        raise UsageError(f"{where}: {value} is not between {low:g} and {high:g}")
    return converted


def _beside(name: str, value: str, origin: str, *, own: bool) -> str:
    """The path of a file that a settings file names, which counts from where that lies.

    Whoever wrote a project's file may not have a file of its reader's sent anywhere.
    """
    folder = Path(origin).parent.resolve()
    path = (folder / os.path.expanduser(value) if own else folder / value).resolve()
    if not own and not path.is_relative_to(folder):
        raise UsageError(f"{origin}: {name} lies outside {folder}; only the user's own file may say so")
    return str(path)


def _loaders(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    """Suffix and command of each line of the table."""
    if not isinstance(value, dict):
        raise UsageError(f'{where}: not a table of commands, as in ".xyz" = "command {{path}}" in a file')
    for suffix, command in value.items():
        if not suffix.startswith(".") or "/" in suffix:
            raise UsageError(f'{where}: {suffix!r} is not a file name\'s ending, as in ".xyz"')
        if not isinstance(command, str) or "{path}" not in command:
            raise UsageError(f"{where}: the command for {suffix} does not say where {{path}} goes")
    return tuple((suffix.lower(), command) for suffix, command in value.items())


def _listed(value: str, known: tuple[str, ...], where: str) -> str:
    """The words of a list, each once and in the order they are known in."""
    given = {word.strip() for word in value.split(",")} - {"", NONE}
    if strange := sorted(given - set(known)):
        raise UsageError(f"{where}: {strange[0]!r} is none of {', '.join(known)}, {NONE}")
    listed = ",".join(word for word in known if word in given) or NONE
    return WHOLE.get(listed, listed)


_SORTS = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false"}
_BOOLEANS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def _converted(kind: str, value: Any) -> Any:
    """``value`` as a ``kind``, read from text where need be; None when it is no such thing."""
    if kind == "bool":
        return value if isinstance(value, bool) else _BOOLEANS.get(str(value).strip().lower())
    if isinstance(value, bool):
        return None
    if kind == "str":
        return value if isinstance(value, str) and "\0" not in value else None
    try:
        return (
            int(value)
            if kind == "int" and not isinstance(value, float)
            else float(value)
            if kind == "float"
            else None
        )
    except (TypeError, ValueError, OverflowError):
        return None
