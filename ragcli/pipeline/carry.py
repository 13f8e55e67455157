"""An index carried whole to another machine: one file with a manifest, checksums and the catalogue.

The file is a zip archive of ``manifest.json`` and ``catalog.sqlite3``. What is derived from the
catalogue is made anew where it arrives, without embedding. Nothing in the file is ever run: the
catalogue must hold the tables of its format and nothing besides.
"""

from __future__ import annotations

import hashlib
import json
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ragcli.catalog import FORMAT, Catalog, check_copy, copy_catalog, drop_log
from ragcli.disk import flush_file, flush_folder
from ragcli.errors import IndexDamaged, IndexMismatch, RagError, UsageError
from ragcli.locks import changing, writing
from ragcli.pipeline.editions import CATALOG, Editions, new_edition, read_editions, remove_edition, switch
from ragcli.pipeline.index import Index, prepare_folder
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
        TemporaryDirectory(dir=target.parent, prefix=".rag-") as scratch,
    ):
        copy = Path(scratch) / CATALOG
        copy_catalog(index.catalog, copy)
        with Catalog.open(copy) as catalog:
            counts, model = catalog.counts(), catalog.get("signature")
            spec, generation = catalog.get("model"), catalog.generation
            catalog.close_log()
        manifest = {
            "kind": _KIND,
            "format": FORMAT,
            "documents": counts["documents"],
            "chunks": counts["chunks"],
            "generation": generation,
            "model": spec,
            "signature": model,
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
    """Make the index of an exported file answer here; returns its manifest.

    Where an index is already, ``force`` lets the new one take its place, and a rollback returns.
    Raises ``UsageError`` for a file that is no export, is damaged, or would replace an index.
    """
    manifest, archive = _opened(source)
    with archive:
        prepare_folder(folder)
        with writing(folder, f"rag import {source}", settings.wait, tell):
            editions = read_editions(folder)
            occupied = (folder / editions.current / CATALOG).exists()
            if occupied and not force:
                raise UsageError(
                    f"there is an index at {folder} already; add --force to replace it, or use --index DIR"
                )
            name = new_edition(folder) if occupied else editions.current
            place = folder / name
            place.mkdir(parents=True, exist_ok=True)
            partial = place / f"{CATALOG}.partial"
            try:
                _unpack(archive, manifest, partial, source)
                _adopt(partial, source)
                drop_log(place / CATALOG)
                partial.replace(place / CATALOG)
            except BaseException:
                for left in place.glob(f"{partial.name}*"):
                    left.unlink(missing_ok=True)
                if occupied:
                    remove_edition(folder, name)
                raise
            with Index.open_edition(folder, settings, name) as index:
                if not occupied:
                    with changing(folder, settings.wait):
                        bring_up_to_date(index.projections(), index.catalog)
                else:
                    bring_up_to_date(index.projections(), index.catalog)
            if occupied:
                with changing(folder, settings.wait):
                    switch(folder, Editions(name, editions.current))
                if editions.previous is not None:
                    remove_edition(folder, editions.previous)
    return manifest


def _opened(source: Path) -> tuple[dict[str, Any], zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise _no_export(source, str(error)) from error
    try:
        if sorted(archive.namelist()) != sorted([_MANIFEST, CATALOG]):
            raise ValueError("it holds other files")
        if archive.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
            raise ValueError("its manifest is too long")
        manifest = json.loads(archive.read(_MANIFEST))
        if not isinstance(manifest, dict) or manifest.get("kind") != _KIND:
            raise ValueError("its manifest is of another kind")
        told = manifest["files"][CATALOG]
        if not isinstance(told["bytes"], int) or not isinstance(told["sha256"], str):
            raise ValueError("its manifest has no checksum")
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


def _adopt(path: Path, source: Path) -> None:
    """Check a catalogue from elsewhere and give it a name of its own, so that it is taken for no other."""
    try:
        check_copy(path)
        with Catalog.open(path) as catalog, catalog.transaction():
            catalog.put("uid", uuid.uuid4().hex)
            catalog.put("finished", datetime.now(UTC).isoformat())
    except IndexDamaged as error:
        raise _no_export(source, str(error).split(";")[0]) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_export(source: Path, reason: str) -> UsageError:
    return UsageError(f"{source} is no whole export of an index ({reason}); make one with `rag export FILE`")
