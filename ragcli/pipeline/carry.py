"""An index carried whole to another machine: one file with a manifest, checksums and the catalogue.

The file is a zip archive of ``manifest.json`` and ``catalog.sqlite3``. What is derived from the
catalogue is made anew where it arrives, without embedding. Nothing in the file is ever run: the
catalogue must hold the tables of its format and nothing besides.
"""

from __future__ import annotations

import errno
import hashlib
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ragcli.catalog import FORMAT, Catalog, check_copy, copy_catalog, drop_log
from ragcli.disk import flush_file, flush_folder
from ragcli.errors import IndexDamaged, IndexMismatch, PartlyDone, RagError, UsageError
from ragcli.jsontext import parse_json
from ragcli.locks import changing, writing
from ragcli.pipeline.editions import CATALOG, Editions, new_edition, read_editions, remove_edition, switch
from ragcli.pipeline.examine import is_vector, wrong_chunks
from ragcli.pipeline.index import IMPORTED, Index, prepare_folder
from ragcli.pipeline.vetting import flag_all
from ragcli.settings import Settings
from ragcli.store import bring_up_to_date

_KIND = "ragcli index"
_MANIFEST = "manifest.json"
_PIECE = 1 << 20
_LONGEST_MANIFEST = 1 << 20


def export_index(folder: Path, settings: Settings, target: Path, *, force: bool) -> dict[str, Any]:
    """Write the index to one file, whole or not at all; returns its manifest.

    The catalogue is copied as it is at one moment; writers need not wait. Raises ``UsageError``
    for a file that exists already unless ``force``, or that cannot be written.
    """
    if str(target) == "-":
        raise UsageError("an index is exported to a file; name one, as in `rag export notes.rag`")
    target = target.resolve()
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is no file; choose another name")
    if target.is_relative_to(folder.resolve()):
        raise UsageError(f"{target} lies in the index itself; choose another folder")
    if target.exists() and not force:
        raise UsageError(f"{target} exists already; choose another name or add --force")
    if not target.parent.is_dir():
        raise UsageError(f"no such folder: {target.parent}")
    with (
        Index.open(folder, settings) as index,
        _told_of(target),
        TemporaryDirectory(dir=target.parent, prefix=".rag-") as scratch,
    ):
        copy = Path(scratch) / CATALOG
        copy_catalog(index.catalog, copy)
        with Catalog.open(copy) as catalog:
            facts = _facts(catalog)
            catalog.close_log()
        manifest = {
            "kind": _KIND,
            "format": FORMAT,
            **facts,
            "files": {CATALOG: {"bytes": copy.stat().st_size, "sha256": _sha256(copy)}},
        }
        partial = Path(scratch) / "whole"
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
            archive.write(copy, CATALOG)
        flush_file(partial)
        partial.replace(target)
        flush_folder(target.parent)
    return manifest


def import_index(
    folder: Path, settings: Settings, source: Path, *, force: bool, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Make the index of an exported file answer here; returns what it holds.

    Where an index is already, ``force`` lets the new one take its place, and a rollback returns.
    Whatever goes wrong, what was there before answers on. Raises ``UsageError`` for a file that is
    no export, is damaged, or would replace an index.
    """
    manifest, archive = _opened(source)
    with archive:
        beside = folder if folder.is_dir() else folder.parent
        try:
            beside.mkdir(parents=True, exist_ok=True)
            scratch = TemporaryDirectory(dir=beside, prefix=".rag-")
        except OSError as error:
            raise UsageError(f"cannot make an index at {folder}: {error.strerror or error}") from error
        with scratch, _told_of(folder):
            arrived = Path(scratch.name) / CATALOG
            _unpack(archive, manifest, arrived, source)
            facts = _adopt(arrived, source)
            prepare_folder(folder)
            with writing(folder, f"rag import {source}", settings.wait, tell):
                _take_in(folder, settings, arrived, force=force)
    return facts


def _take_in(folder: Path, settings: Settings, arrived: Path, *, force: bool) -> None:
    """Let a catalogue that lies beside the index answer. The caller is the one writer."""
    editions = read_editions(folder)
    occupied = (folder / editions.current / CATALOG).exists()
    if occupied and not force:
        raise UsageError(
            f"there is an index at {folder} already; add --force to replace it, or use --index DIR"
        )
    name = new_edition(folder) if occupied else editions.current
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    try:
        with nullcontext() if occupied else changing(folder, settings.wait):
            drop_log(place / CATALOG)
            arrived.replace(place / CATALOG)
            with Index.open_edition(folder, settings, name) as index:
                bring_up_to_date(index.projections(), index.catalog)
        if occupied:
            with changing(folder, settings.wait):
                switch(folder, Editions(name, editions.current))
    except BaseException:
        remove_edition(folder, name)
        raise
    if occupied and editions.previous is not None:
        remove_edition(folder, editions.previous)


@contextmanager
def _told_of(place: Path) -> Iterator[None]:
    """Name the place that the user knows, rather than a scratch file, where there is no room."""
    try:
        yield
    except (PartlyDone, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise PartlyDone(
            f"cannot write {place}: no room; make room and run the same command again"
        ) from error


def _facts(catalog: Catalog) -> dict[str, Any]:
    counts = catalog.counts()
    return {
        "documents": counts["documents"],
        "chunks": counts["chunks"],
        "generation": catalog.generation,
        "model": catalog.get("model"),
        "signature": catalog.get("signature"),
    }


def _opened(source: Path) -> tuple[dict[str, Any], zipfile.ZipFile]:
    if str(source) == "-":
        raise UsageError("an index is imported from a file; write standard input to one first")
    if not source.is_file():
        told = "is no file" if source.exists() else "does not exist"
        raise UsageError(f"{source} {told}; name a file that `rag export FILE` wrote")
    try:
        archive = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise _no_export(source, str(error)) from error
    try:
        if sorted(archive.namelist()) != sorted([_MANIFEST, CATALOG]):
            raise ValueError("it holds other files")
        if archive.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
            raise ValueError("its manifest is too long")
        manifest = parse_json(archive.read(_MANIFEST))
        if not isinstance(manifest, dict) or manifest.get("kind") != _KIND:
            raise ValueError("its manifest is of another kind")
        told = manifest["files"][CATALOG]
        if not isinstance(told["bytes"], int) or not isinstance(told["sha256"], str):
            raise ValueError("its manifest has no checksum")
        if not isinstance(manifest["format"], int):
            raise ValueError("its manifest names no format")
        if manifest["format"] > FORMAT:
            raise IndexMismatch(
                f"{source} has format {manifest['format']}, made by a newer rag; this one reads up to {FORMAT}; "
                f"upgrade ragcli"
            )
    except RagError:
        archive.close()
        raise
    except Exception as error:  # a broken archive raises whatever its bytes lead to
        archive.close()
        raise _no_export(source, str(error)) from error
    return manifest, archive


def _unpack(archive: zipfile.ZipFile, manifest: dict[str, Any], target: Path, source: Path) -> None:
    """Write the catalogue to ``target``, never more bytes than announced, and compare the checksum."""
    told = manifest["files"][CATALOG]
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(CATALOG) as packed, target.open("wb") as file:
            while piece := packed.read(_PIECE):
                size += len(piece)
                if size > told["bytes"]:
                    break
                digest.update(piece)
                file.write(piece)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise _no_export(source, f"damaged: {error}") from error
    except OSError:
        raise
    except Exception as error:  # zlib's own error has no public base
        raise _no_export(source, f"damaged: {error}") from error
    if size != told["bytes"] or digest.hexdigest() != told["sha256"]:
        raise _no_export(source, "damaged: its checksum is another")
    flush_file(target)


def _adopt(path: Path, source: Path) -> dict[str, Any]:
    """Check a catalogue from elsewhere and give it a name of its own, so that it is taken for no other."""
    try:
        check_copy(path)
        with Catalog.open(path) as catalog:
            if problems := catalog.problems() or _strange(catalog):
                raise IndexDamaged(problems[0])
            flag_all(catalog, force=True)  # whoever made the file may not have looked
            with catalog.transaction():
                catalog.put("uid", uuid.uuid4().hex)
                catalog.put(IMPORTED, "1")
                catalog.put("finished", datetime.now(UTC).isoformat())
            facts = _facts(catalog)
            catalog.close_log()
    except IndexDamaged as error:
        raise _no_export(source, str(error).split(";")[0]) from error
    return facts


def _strange(catalog: Catalog) -> list[str]:
    """What the chunks and vectors of a catalogue cannot be."""
    if wrong_chunks(catalog):
        return ["it has chunks that are not in their text"]
    dimensions = catalog.number("dimensions")
    signature = catalog.get("signature") or ""
    blobs = catalog.vector_blobs(signature)
    if not all(blob is not None and is_vector(blob, dimensions, signature) for _, _, blob in blobs):
        return ["it has chunks without a sound vector"]
    return []


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_export(source: Path, reason: str) -> UsageError:
    return UsageError(f"{source} is no whole export of an index ({reason}); make one with `rag export FILE`")
