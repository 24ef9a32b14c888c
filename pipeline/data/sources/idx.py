"""The four IDX files of the MNIST family (MNIST, Fashion-MNIST, KMNIST, ...), packed with gzip or not.

An IDX file is a magic number (two zero bytes, the type's code, the number of dimensions), each dimension as a
big-endian 32-bit integer, and the values, last dimension fastest (LeCun, Cortes & Burges, "The MNIST database").
"""

import hashlib
import math
import struct
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict, StringConstraints

from thalweg.data.examples import DataSource, Examples, Fault, ReadResult, build_blank_labels
from thalweg.system import files
from thalweg.system.counts import format_count
from thalweg.system.files import UserError

FileName = Literal[
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
]
FILE_NAMES: tuple[FileName, ...] = get_args(FileName)
UBYTE_MAGIC = 0x0800
HEADER_BYTES = 16  # of a file of images
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$")]


class Idx(DataSource):
    """Small gray images with one label each; the `t10k` files are the test set.

    `classes` are the names of labels 0, 1, …; without them, the digits. `sha256` are checksums of unpacked contents,
    also where the files are packed or their names have a dot (`train-images.idx3-ubyte`).
    """

    kind: Literal["idx"] = "idx"
    REQUIRED_FILES: ClassVar[str] = f"{', '.join(FILE_NAMES[:-1])} and {FILE_NAMES[-1]}, packed (.gz) or not"
    classes: Annotated[tuple[str, ...], Strict(False)] = Field((), description="names of the labels; none: the digits")
    sha256: dict[FileName, Sha256] = Field({}, description="checksums of the unpacked files, by name without .gz")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        images, labels = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4), np.array([2, 0, 1], np.uint8)
        for name in FILE_NAMES:
            values = images if "images" in name else labels
            head = struct.pack(f">{1 + values.ndim}I", UBYTE_MAGIC + values.ndim, *values.shape)
            files.write_bytes(folder / name, head + values.tobytes())
        return cls()

    def find_missing_file(self, path: Path) -> str:
        return next(
            (name for name in FILE_NAMES if not any(files.path_exists(path / file) for file in _list_spellings(name))),
            "",
        )

    def read_examples(self, path: Path, seed: int) -> ReadResult:  # noqa: ARG002
        """Read images [N, H, W, 1] in the files' order, train first, named `train-00000`, … and `t10k-00000`, …

        A label without a name in `classes` is a fault. Raises `UserError` where a file is missing, contradicts its
        header, has another checksum, or does not fit the file beside it.
        """
        paths = {name: _find_file(path, name) for name in FILE_NAMES}
        arrays = {name: self._read_array(file, name) for name, file in paths.items()}
        names: list[str] = []
        locations: list[str] = []
        for images, labels in (FILE_NAMES[:2], FILE_NAMES[2:]):
            image_count, label_count = len(arrays[images]), len(arrays[labels])
            if image_count != label_count:
                mismatch = f"{paths[images].name} has {format_count(image_count, 'image')}, but {paths[labels].name}"
                raise UserError(f"{path}: {mismatch} has {format_count(label_count, 'label')}")
            names += _name_images(images, image_count)
            locations += [f"{paths[labels].name}:{index}" for index in range(image_count)]
        train, train_labels, test, test_labels = (arrays[name] for name in FILE_NAMES)
        if train.shape[1:] != test.shape[1:]:
            raise UserError(
                f"{path}: {paths[FILE_NAMES[0]].name} has images of {train.shape[1]} x {train.shape[2]} pixels, but "
                f"{paths[FILE_NAMES[2]].name} of {test.shape[1]} x {test.shape[2]}; all images must have one size"
            )
        values = np.concatenate([train_labels, test_labels]).astype(np.int32)
        classes = self.classes or tuple(str(digit) for digit in range(max(10, values.max() + 1)))
        split = np.repeat(["", "test"], [len(train), len(test)])
        pixels, ids = np.concatenate([train, test])[..., None], np.array(names)
        examples = Examples(pixels, ids, ids, split, {"label": values}, classes)
        has_class = values < len(classes)
        reason = f"is not below {len(classes)}, the number of classes"
        rows = np.flatnonzero(~has_class).tolist()
        faults = tuple(Fault(names[row], locations[row], f"label {values[row]} {reason}") for row in rows)
        return ReadResult(examples.take_rows(has_class) if faults else examples, faults)

    def build_outline(self, path: Path, seed: int) -> Examples | None:  # noqa: ARG002
        try:
            shapes = [_read_shape(_find_file(path, name)) for name in (FILE_NAMES[0], FILE_NAMES[2])]
        except UserError:  # `read_examples` says it
            return None
        (train, *size), (test, *_) = shapes
        names = np.array(_name_images(FILE_NAMES[0], train) + _name_images(FILE_NAMES[2], test))
        return Examples(
            images=np.broadcast_to(np.uint8(0), (train + test, *size, 1)),
            names=names,
            groups=names,
            split=np.repeat(["", "test"], [train, test]),
            labels=build_blank_labels(["label"], train + test),
            classes=self.classes or tuple(map(str, range(10))),
        )

    def _read_array(self, file: Path, name: FileName) -> NDArray[np.uint8]:
        content = files.read_unzipped(file)
        digest, expected = hashlib.sha256(content).hexdigest(), self.sha256.get(name, "").lower()
        if expected and digest != expected:
            raise UserError(
                f"{file}: its unpacked content has the SHA-256 {digest}, but `sha256` in params.yaml is {expected}. "
                "Download the file again, or correct the checksum."
            )
        return _parse_idx(content, file, dimensions=3 if "images" in name else 1)


def _list_spellings(name: str) -> list[str]:
    return [spelling + end for spelling in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]


def _find_file(path: Path, name: str) -> Path:
    names = _list_spellings(name)
    for file in names:
        if files.path_exists(path / file):
            return path / file
    raise UserError(f"{path}: there is no {name}; looked for {', '.join(names)}")


def _name_images(file_name: str, count: int) -> list[str]:
    digits = max(5, len(str(count - 1)))
    return [f"{file_name.partition('-')[0]}-{index:0{digits}}" for index in range(count)]


def _read_shape(file: Path) -> list[int]:
    """Read the number of images, their height and their width from a file's header."""
    header = files.read_unzipped(file, HEADER_BYTES)
    magic, *shape = struct.unpack(">4I", header) if len(header) == HEADER_BYTES else (0,)
    if magic != UBYTE_MAGIC + 3 or not all(shape):
        raise UserError(f"{file}: not a header of images")
    return shape


def _parse_idx(content: bytes, file: Path, dimensions: int) -> NDArray[np.uint8]:
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise UserError(
            f"{file}: the file has {format_count(len(content), 'byte')}, but its header alone needs {start}"
        )
    magic, *shape = struct.unpack(f">{1 + dimensions}I", content[:start])
    if magic != UBYTE_MAGIC + dimensions:
        raise UserError(
            f"{file}: begins with the magic number 0x{magic:08x}; an IDX file of bytes in {dimensions} dimensions "
            f"begins with 0x{UBYTE_MAGIC + dimensions:08x}"
        )
    size, byte_count = " x ".join(map(str, shape)), len(content) - start
    if not all(shape):
        raise UserError(f"{file}: the file holds no values: its header says {size}")
    if byte_count != math.prod(shape):
        raise UserError(f"{file}: its header says {size} = {math.prod(shape)} bytes of values, but {byte_count} follow")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
