"""A folder of images with a CSV of labels, and tables of points and boxes where these are known.

images/…      any usual format, depth and size; without this folder, anywhere below the folder itself
labels.csv    image,count or image,label; optional columns: group, split (train, validation, test)
points.csv    image,x,y                   optional: in pixels of the upright image before resizing
boxes.csv     image,x0,y0,x1,y1[,kind]    optional: in the same pixels; `class` is another name of `kind`
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field

from thalweg.data.examples import Fault
from thalweg.data.labelled.file_index import index_files
from thalweg.data.labelled.image_files import write_example_images
from thalweg.data.labelled.image_source import ImageSource
from thalweg.data.labelled.label_files import LabelFiles, drop_faulty_rows, drop_repeated_rows
from thalweg.data.sources.folder import label_tables
from thalweg.system import files
from thalweg.system.counts import join_first

TABLES = ("labels.csv", *(f"{name}.csv" for name in label_tables.OBJECT_COLUMNS))


class Folder(ImageSource):
    """Images that someone labelled. `image` in a table is a path: below the images' folder, from the table, or from /.

    Without a `count` column an image's count is the number of its points. Where there are points and boxes, the i-th
    point and the i-th box of an image are one object. Only the first row of an image is used; each other is a fault.
    The classes are the labels of the good examples, or without labels the kinds of their boxes: sorted, numbers by
    value.
    """

    kind: Literal["folder"] = "folder"
    REQUIRED_FILES: ClassVar[str] = "labels.csv and the images"
    images: str = Field("images", description="folder of the images below the path; if it is missing, the path itself")

    @classmethod
    def write_example(cls, folder: Path) -> Self:
        write_example_images(folder / "images" / f"{name}.png" for name in "abc")
        files.write_text(folder / "labels.csv", "image,count,group\na.png,2,x\nb.png,0,x\nc.png,1,y\n")
        files.write_text(folder / "points.csv", "image,x,y\na.png,1,1\na.png,9,7\nc.png,4.5,3\n")
        return cls(size=(4, 6))

    def find_missing_file(self, path: Path) -> str:
        return "" if files.path_exists(path / "labels.csv") else "labels.csv"

    def read_labels(self, path: Path) -> LabelFiles:
        faults: list[Fault] = []
        warnings: list[str] = []
        file = path / "labels.csv"
        if self.find_missing_file(path):
            raise files.UserError(f"{file}: no such file; it needs the columns image,count or image,label")
        root = path / self.images if files.path_exists(path / self.images) else path
        name_warnings: list[str] = []
        index = index_files(root, name_warnings)
        header, all_rows = label_tables.read_table(file, ("image",), index, faults)
        if not all_rows and not faults:
            raise files.UserError(f"{file}: there are no rows below the header")
        labelled = {row.image for row in all_rows} | {fault.name for fault in faults}
        warnings += label_tables.describe_unused_columns(file.name, header, label_tables.LABEL_COLUMNS)
        annotations = label_tables.read_annotations(path, labelled, index, faults, warnings)
        if not ({"count", "label"} & {*header} or annotations):
            raise files.UserError(
                f"{file}:1: add a column `count` or `label`, or a points.csv or boxes.csv beside this file. "
                + ". ".join([f"The columns are {', '.join(header)}", *(fault.reason for fault in faults)])
            )
        rows, repeated = drop_repeated_rows(all_rows)
        for row in rows:
            faults += label_tables.find_label_faults(row)
        faults += label_tables.find_count_faults(drop_faulty_rows(rows, faults), annotations)
        return LabelFiles(
            index=index,
            rows=rows,
            annotations=annotations,
            faults=faults,
            repeated=repeated,
            warnings=[*warnings, *name_warnings, *(_describe_unread_tables(path) if root != path else ())],
            listed=frozenset(labelled),
            used=frozenset(TABLES if root == path else ()),
        )


def _describe_unread_tables(path: Path) -> Iterator[str]:
    unread = [file.name for file in files.find_files(path, "*.csv") if file.name not in TABLES]
    if unread:
        yield f"tables that are not read: {join_first(unread)}; {join_first(sorted(TABLES))} are"
