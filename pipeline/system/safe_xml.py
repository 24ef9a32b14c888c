"""Read XML that people send: with lines for messages, and without what makes XML unsafe."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from thalweg.system import files


@dataclass
class Element:
    """An element: its name, its line, its own text, and the elements in it."""

    tag: str
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def list_children(self, tag: str) -> Iterator["Element"]:
        return (child for child in self.children if child.tag == tag)

    def find_text(self, tag: str) -> str:
        """Return the text of the first child with this name; '' if there is none."""
        return next((child.text.strip() for child in self.list_children(tag)), "")


class UnsafeXmlError(Exception):
    """A document declares a type or an entity."""


def read_xml(path: Path) -> Element:
    """Read an XML file's root. Raises `UserError`, with the line, if it is broken or has a DOCTYPE.

    Entities, which can grow without limit or name other files, are declared in a DOCTYPE only.
    """
    content = files.read_bytes(path)
    parser = expat.ParserCreate()
    top = Element("", 0)
    above = [top]

    def start_element(tag: str, _attributes: object) -> None:
        element = Element(tag, parser.CurrentLineNumber)
        above[-1].children.append(element)
        above.append(element)

    def end_element(_tag: str) -> None:
        above.pop()

    def add_text(text: str) -> None:
        above[-1].text += text

    def refuse_declaration(*_arguments: object) -> None:
        raise UnsafeXmlError

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start_element, end_element
    parser.CharacterDataHandler = add_text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse_declaration
    try:
        parser.Parse(content, True)
    except UnsafeXmlError:
        line = parser.CurrentLineNumber
        raise files.UserError(f"{path}:{line}: a DOCTYPE is not read, because it can declare entities") from None
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise files.UserError(f"{path}:{error.lineno}: not an XML document ({reason})") from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise files.UserError(f"{path}:1: not an XML document ({error})") from None
    return top.children[0]
