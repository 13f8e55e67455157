"""Pictures: what their maker wrote into the file, and the words on them where OCR is asked for."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from ragcli.load.image import read_image
from ragcli.load.parsed import Content

from .support import document, failure


def picture(kind: str, words: str = "", **options: object) -> bytes:
    image = Image.new("L", (1200, 300), 255)
    ImageDraw.Draw(image).text((60, 80), words, fill=0, font=ImageFont.load_default(90))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_descriptions(tmp_path: Path) -> None:
    chunks = PngInfo()
    chunks.add_text("Title", "Harbour")
    chunks.add_itxt("Description", "Boats at Łeba", zip=True)
    png = document(tmp_path, "a.png", picture("PNG", pnginfo=chunks))
    assert (png.title, png.text, png.format) == ("Harbour", "Boats at Łeba", "image")
    exif = Image.Exif()
    exif[0x010E] = "A quiet street"
    exif[0x013B] = "Ann"
    for kind, name in (("JPEG", "a.jpg"), ("TIFF", "a.tif")):
        item = document(tmp_path, name, picture(kind, exif=exif))
        assert (item.text, item.metadata) == ("A quiet street", {"author": "Ann"})
    assert document(tmp_path, "b.jpg", picture("JPEG", comment=b"Seen from above")).text == "Seen from above"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_without_words_the_reason_names_ocr(tmp_path: Path, kind: str) -> None:
    item = failure(tmp_path, f"a.{kind.lower()}", picture(kind, "Hidden"))
    assert item.error == "no-text"
    assert "--ocr" in item.message


def test_cut_off_is_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "A quiet street by the sea"
    whole = picture("JPEG", exif=exif)
    for end in (4, 24, 40):
        assert failure(tmp_path, "a.jpg", whole[:end]).error == "no-text"


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_ocr() -> None:
    read = read_image(Content(picture("PNG", "Hidden treasure"), "a.png", ocr="eng"))
    assert read.text == "Hidden treasure"
