"""XML with lines, and nothing that grows or reads other files."""

from pathlib import Path

import pytest

from thalweg.system import safe_xml
from thalweg.system.files import UserError


def test_lines_and_texts(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<a>\n<b> x &amp; y </b>\n<b>z<c/></b></a>")
    root = safe_xml.read_xml(tmp_path / "a.xml")
    assert (root.tag, root.line, root.find_text("b"), root.find_text("c")) == ("a", 1, "x & y", "")
    assert [(child.line, child.text.strip()) for child in root.list_children("b")] == [(2, "x & y"), (3, "z")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.xml").write_bytes(f'<?xml version="1.0" encoding="{encoding}"?><a>Müller</a>'.encode(encoding))
    assert safe_xml.read_xml(tmp_path / "a.xml").text == "Müller"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('\n<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "a.xml:2: a DOCTYPE is not read"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "a.xml:1: a DOCTYPE is not read"),
        ("<a>\n&x;</a>", r"a\.xml:2: not an XML document \(undefined entity\)"),
        ("<a>\n", r"a\.xml:2: not an XML document \(no element found\)"),
        ("", r"a\.xml:1: not an XML document \(no element found\)"),
        ('<?xml version="1.0" encoding="odd"?><a/>', r"a\.xml:1: not an XML document"),
        ("<a/>\n<b/>", r"a\.xml:2: not an XML document \(junk after document element\)"),
    ],
)
def test_unsafe_and_broken_documents_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(UserError, match=message):
        safe_xml.read_xml(tmp_path / "a.xml")


def test_deep_documents_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<a>" * 20000 + "</a>" * 20000)
    assert safe_xml.read_xml(tmp_path / "a.xml").tag == "a"
