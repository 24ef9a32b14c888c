import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from thalweg.data.sources.idx import FILE_NAMES, Idx
from thalweg.system.files import UserError


def pack_idx(values: np.ndarray) -> bytes:
    return struct.pack(f">{values.ndim + 1}I", 0x800 + values.ndim, *values.shape) + values.tobytes()


IMAGES = np.arange(3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)
CONTENTS = {
    "train-images-idx3-ubyte": pack_idx(IMAGES),
    "train-labels-idx1-ubyte": pack_idx(np.array([2, 0, 1], np.uint8)),
    "t10k-images-idx3-ubyte": pack_idx(IMAGES[:2] + 100),
    "t10k-labels-idx1-ubyte": pack_idx(np.array([1, 2], np.uint8)),
}


def write_files(folder: Path, changed: dict[str, bytes] | None = None, dots: bool = False, pack: bool = False) -> Path:
    for name, content in (CONTENTS | (changed or {})).items():
        file = folder / ((name.replace("-idx", ".idx") if dots else name) + (".gz" if pack else ""))
        file.write_bytes(gzip.compress(content) if pack else content)
    return folder


@pytest.mark.parametrize("dots", [False, True])
@pytest.mark.parametrize("pack", [False, True])
def test_idx_reads_gzip_and_both_spellings(tmp_path: Path, dots: bool, pack: bool) -> None:
    reading = Idx().read_examples(write_files(tmp_path, dots=dots, pack=pack), 0)
    examples = reading.examples
    assert (reading.faults, reading.warnings) == ((), ())
    assert examples.images.dtype == np.uint8
    np.testing.assert_array_equal(examples.images[..., 0], np.concatenate([IMAGES, IMAGES[:2] + 100]))
    assert examples.labels["label"].dtype == np.int32
    assert examples.labels["label"].tolist() == [2, 0, 1, 1, 2]
    assert examples.names.tolist() == ["train-00000", "train-00001", "train-00002", "t10k-00000", "t10k-00001"]
    assert examples.groups.tolist() == examples.names.tolist()
    assert examples.split.tolist() == ["", "", "", "test", "test"]
    assert examples.classes == tuple("0123456789")


def test_label_without_class_is_a_fault(tmp_path: Path) -> None:
    reading = Idx(classes=("shirt", "boot")).read_examples(write_files(tmp_path), 0)
    assert [(bad.name, bad.where) for bad in reading.faults] == [
        ("train-00000", "train-labels-idx1-ubyte:0"),
        ("t10k-00001", "t10k-labels-idx1-ubyte:1"),
    ]
    assert reading.faults[0].reason == "label 2 is not below 2, the number of classes"
    assert reading.examples.names.tolist() == ["train-00001", "train-00002", "t10k-00000"]
    assert reading.examples.classes == ("shirt", "boot")


@pytest.mark.parametrize("pack", [False, True])
def test_checksum_of_unpacked_content(tmp_path: Path, pack: bool) -> None:
    write_files(tmp_path, pack=pack)
    sums: Any = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
    assert len(Idx(sha256=sums).read_examples(tmp_path, 0).examples) == 5
    for name in FILE_NAMES:
        with pytest.raises(UserError, match=rf"{name}.*{sums[name]}.*is {'0' * 64}"):
            Idx(sha256=sums | {name: "0" * 64}).read_examples(tmp_path, 0)


@pytest.mark.parametrize("sums", [{"train-images": "0" * 64}, {FILE_NAMES[0]: "12ab"}])
def test_malformed_checksum_is_refused(sums: Any) -> None:
    with pytest.raises(ValidationError):
        Idx(sha256=sums)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            FILE_NAMES[0],
            pack_idx(np.zeros(3, np.uint8)) + bytes(20),
            "train-images.*0x00000801.*begins with 0x00000803",
        ),
        (FILE_NAMES[1], pack_idx(IMAGES), "train-labels.*0x00000803.*begins with 0x00000801"),
        (FILE_NAMES[1], b"", "has 0 bytes, but its header alone needs 8"),
        (FILE_NAMES[0], CONTENTS[FILE_NAMES[0]][:-1], "says 3 x 2 x 4 = 24 bytes of values, but 23 follow"),
        (FILE_NAMES[2], CONTENTS[FILE_NAMES[2]] + b"\0", "says 2 x 2 x 4 = 16 bytes of values, but 17 follow"),
        (
            FILE_NAMES[1],
            pack_idx(np.zeros(2, np.uint8)),
            "train-images-idx3-ubyte has 3 images, but train-labels.* 2 labels",
        ),
        (
            FILE_NAMES[3],
            pack_idx(np.zeros(3, np.uint8)),
            "t10k-images-idx3-ubyte has 2 images, but t10k-labels.* 3 labels",
        ),
        (FILE_NAMES[2], pack_idx(np.zeros((2, 4, 4), np.uint8)), "2 x 4 pixels.*4 x 4; all images must have one size"),
        (FILE_NAMES[0], pack_idx(np.zeros((0, 2, 4), np.uint8)), "holds no values: its header says 0 x 2 x 4"),
        (FILE_NAMES[0], b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff", "broken gzip file"),
    ],
)
def test_malformed_file_is_an_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Idx().read_examples(write_files(tmp_path, {name: content}), 0)


@pytest.mark.parametrize("name", FILE_NAMES)
def test_missing_file_names_spellings(tmp_path: Path, name: str) -> None:
    (write_files(tmp_path) / name).unlink()
    with pytest.raises(UserError, match=rf"there is no {name}; looked for {name}, {name}\.gz, .*\.idx"):
        Idx().read_examples(tmp_path, 0)
