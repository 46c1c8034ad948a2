"""PDFs written by hand: pages of lines at a size, in any script, and the ways in which a PDF can be bad."""

import io
import zlib
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter

Line = tuple[str, int]  # text, font size in points
HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def pdf(*pages: Sequence[Line]) -> bytes:
    """A page for each list of lines, from its top downwards; characters are glyphs of the same number, named by a ToUnicode map."""
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>".encode(),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 5 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        _stream(_unicode_map(pages)),
    ]
    for number, page in enumerate(pages):
        place = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> /Contents %d 0 R >>"
        objects += [place % (7 + 2 * number), _stream(_content(page))]
    return _file(objects)


def picture_only(pages: int = 1) -> bytes:
    """What a scanner makes: pages without any text."""
    return pdf(*[[] for _ in range(pages)])


def encrypted(content: bytes, password: str) -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(content)))
    writer.encrypt(password, "owner", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def bomb(mib: int) -> bytes:
    """A page whose content is `mib` of blanks, compressed to a thousandth."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"
    packed = zlib.compress(b" " * (mib * 1024 * 1024), 9)
    content = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    return _file([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page, content])


def _content(page: Sequence[Line]) -> bytes:
    at, drawn = 800.0, []
    for text, size in page:
        at -= size * 1.5
        glyphs = text.encode("utf-16-be").hex()
        drawn.append(f"BT /F {size} Tf 1 0 0 1 50 {at:.1f} Tm <{glyphs}> Tj ET")
    return "\n".join(drawn).encode()


def _unicode_map(pages: Sequence[Sequence[Line]]) -> bytes:
    used = sorted({character for page in pages for text, _ in page for character in text})
    pairs = "\n".join(f"<{ord(character):04x}> <{ord(character):04x}>" for character in used)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{len(used)} beginbfchar\n{pairs}\nendbfchar\nendcmap end end"
    ).encode()


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _file(objects: Sequence[bytes]) -> bytes:
    written, places = HEAD, []
    for number, value in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return written + end % (count, table, count, len(written))
