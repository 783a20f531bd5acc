"""Pictures that are none, or more than anybody wants."""

import io
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.images import read_image
from tests.hostile.case import Case, written


def cases() -> Iterator[Case]:
    """Yield what stands where a picture should."""
    good = encoded("JPEG")
    files: dict[str, bytes] = {
        "empty.jpg": b"",
        "text.jpg": b"no picture at all\n" * 100,
        "truncated.jpg": good[: len(good) // 2],
        "header_only.jpg": good[:20],
        "truncated.png": encoded("PNG")[:60],
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n/x 1 def\nshowpage\n",
        "postscript.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n",
        "windows.wmf": b"\xd7\xcd\xc6\x9a" + bytes(40),
        "pdf.png": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        "zip.png": b"PK\x03\x04" + bytes(100),
        "pickle.jpg": b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "html.jpg": b"<html><script>alert(1)</script></html>",
        "bomb.png": png(30_000, 30_000),
        "line.png": png(80_000_000, 1),
        "column.png": png(1, 80_000_000),
        "no_pixels.png": png(0, 0),
        "negative.bmp": b"BM" + struct.pack("<IHHIIiiHHIIIIII", 100, 0, 0, 54, 40, -5, -5, 1, 24, 0, 0, 0, 0, 0, 0),
        "huge.bmp": b"BM" + struct.pack("<IHHIIiiHHIIIIII", 100, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
        "huge.ppm": b"P6\n1000000000 1000000000\n255\n" + bytes(10),
        "words.ppm": b"P6\nmany many\n255\n" + bytes(10),
        "deep.ppm": b"P6\n16 16\n99999999999999999999\n" + bytes(800),
        "sixteen.png": png(9_000, 9_000, depth=16),
        "text_bomb.png": png(64, 64, extra=[(b"zTXt", b"k\0\0" + zlib.compress(bytes(200_000_000), 9))]),
        "bad_crc.png": encoded("PNG").replace(b"IDAT", b"IDAT\xff", 1),
        "loop.tif": b"II*\0\x08\0\0\0"
        + struct.pack("<H", 1)
        + struct.pack("<HHII", 256, 3, 1, 64)
        + struct.pack("<I", 8),
        "tags.tif": b"II*\0\x08\0\0\0" + struct.pack("<H", 65535) + bytes(100),
        "count.tif": b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 273, 4, 2**32 - 1, 0, 0),
        "frames.gif": b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\0;",
        "webp.webp": b"RIFF\xff\xff\xff\xffWEBPVP8X" + bytes(30),
        "large_icon.jpg": icon(png(13_300, 13_300)),
        "icon.jpg": b"\0\0\1\0\xff\xff" + bytes(100),
        "jpeg2000.jpg": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
    }
    yield from (Case(f"picture/{name}", written(name, content), shown) for name, content in files.items())
    harmless = {"exif.jpg": damaged_exif(good), "trailing.jpg": good + b"PK\x03\x04" * 1000}
    harmless["more_than_it_says.png"] = png(64, 64, data=zlib.compress(bytes(300_000_000), 9))
    yield from (Case(f"picture/{name}", written(name, text), shown, refused=False) for name, text in harmless.items())
    yield Case("picture/folder.jpg", folder, shown)
    yield Case("picture/pipe.jpg", pipe, shown)
    yield Case("picture/endless.jpg", lambda place: link(place, "/dev/zero"), shown)
    yield Case("picture/memory.jpg", lambda place: link(place, "/proc/self/mem"), shown)
    yield Case("picture/missing.jpg", lambda place: link(place, "/nowhere/at/all"), shown)
    yield Case("picture/itself.jpg", lambda place: link(place, str(place / "linked.jpg")), shown)
    yield Case("picture/name\x1b[31m.jpg", written("name\x1b[31m.jpg", b"nothing"), shown)


def shown(picture: Path) -> object:
    """Read a picture as training and prediction do."""
    return read_image(picture, 64)


def encoded(form: str) -> bytes:
    """Return a small picture in a format of Pillow's."""
    file = io.BytesIO()
    Image.fromarray(np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)).save(file, form)
    return file.getvalue()


def png(
    width: int, height: int, depth: int = 8, data: bytes | None = None, extra: Sequence[tuple[bytes, bytes]] = ()
) -> bytes:
    """Return a PNG that promises so many grey pixels, and has what compresses well."""
    row = bytes(1 + min(width, 100_000) * depth // 8)
    content = zlib.compress(row * min(height, 2_000), 9) if data is None else data
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *extra, (b"IDAT", content), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def icon(inside: bytes) -> bytes:
    """Return an icon of 64 x 64 in whose place a PNG stands."""
    return b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 64, 64, 0, 0, 1, 32, len(inside), 22) + inside


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def damaged_exif(jpeg: bytes) -> bytes:
    """Return a JPEG whose EXIF points beyond its own end."""
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x0112, 3, 2**31, 2**31)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def folder(place: Path) -> Path:
    (place / "folder.jpg").mkdir()
    return place / "folder.jpg"


def pipe(place: Path) -> Path:
    os.mkfifo(place / "pipe.jpg")
    return place / "pipe.jpg"


def link(place: Path, target: str) -> Path:
    (place / "linked.jpg").symlink_to(target)
    return place / "linked.jpg"
