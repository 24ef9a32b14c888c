"""Tables beside a folder of two images, a.png and b.png of 30 x 20 pixels, with something wrong in them."""

LABELS = "image,count\na.png,1\nb.png,2\n"
POINTS = "image,x,y\na.png,5,5\nb.png,6,6\nb.png,7,9\n"
BOXES = "image,x0,y0,x1,y1\na.png,5,5,9,9\nb.png,6,6,9,9\nb.png,7,9,12,15\n"


def change(text: str, line: int, row: str) -> str:
    """Return a table with another row at a line, counted from 1."""
    rows = text.splitlines()
    return "\n".join([*rows[: line - 1], row, *rows[line:]]) + "\n"


def build_labels(row: str, header: str = "image,count") -> str:
    return change(change(LABELS, 3, row), 1, header)


def build_points(row: str) -> str:
    return change(POINTS, 3, row)


def build_boxes(row: str) -> str:
    return change(BOXES, 3, row)


NO_NUMBER = "is not a finite number"
BAD_TABLES: dict[str, tuple[str, str | bytes, str]] = {
    "labels: empty": ("labels", "", "the file is empty"),
    "labels: blank lines": ("labels", "\n\n\n", "the file is empty"),
    "labels: header only": ("labels", "image,count\n", "there are no rows below the header"),
    "labels: no header": ("labels", "a.png,1\nb.png,2\n", "no column `image`; the columns are a.png, 1"),
    "labels: other name of image": ("labels", change(LABELS, 1, "filename,count"), "no column `image`"),
    "labels: header in capitals": ("labels", change(LABELS, 1, "Image,Count"), "no column `image`"),
    "labels: no answer": ("labels", change(LABELS, 1, "image,number"), "add a column `count` or `label`"),
    "labels: a column twice": ("labels", "image,count,count\na.png,1,1\n", "two columns have one name"),
    "labels: semicolons": ("labels", LABELS.replace(",", ";"), "The columns are separated by ';'"),
    "labels: tabs": ("labels", LABELS.replace(",", "\t"), "The columns are separated by '\\t'"),
    "labels: bars": ("labels", LABELS.replace(",", "|"), "The columns are separated by '|'"),
    "labels: Latin-1": ("labels", "image,count\nM\xfcller.png,1\n".encode("latin-1"), "not a CSV table in UTF-8"),
    "labels: UTF-16": ("labels", LABELS.encode("utf-16"), "not a CSV table in UTF-8"),
    "labels: binary": ("labels", b"\x89PNG\r\n\x1a\n\0\0\0", "not a CSV table in UTF-8"),
    "labels: open quote": ("labels", build_labels('"b.png,2'), "labels.csv:3: not a CSV table"),
    "labels: text after quote": ("labels", build_labels('"b.png"x,2'), "not a CSV table"),
    "labels: NUL": ("labels", build_labels("b.png,2\0"), "labels.csv:3"),
    "labels: cut in a row": ("labels", "image,count\na.png,1\nb.pn", "labels.csv:3: b.pn: the row has 1 cells"),
    "labels: cell too few": ("labels", build_labels("b.png"), "the row has 1 cells, but the header has 2"),
    "labels: cell too many": ("labels", build_labels("b.png,2,3"), "the row has 3 cells, but the header has 2"),
    "labels: decimal comma": ("labels", build_labels("b.png,2,0"), "the row has 3 cells"),
    "labels: no image name": ("labels", build_labels(",2"), "`image` is empty"),
    "labels: unknown image": ("labels", build_labels("c.png,2"), "c.png: no such file below images/"),
    "labels: image in capitals": ("labels", build_labels("B.PNG,2"), "did you mean b.png?"),
    "labels: image without suffix": ("labels", build_labels("b,2"), "b: no such file below images/"),
    "labels: one image by two paths": ("labels", build_labels("images/a.png,2"), "already has a row at labels.csv:2"),
    "labels: path upwards": (
        "labels",
        build_labels("../images/b.png,2"),
        "../images/b.png: no such file below images/",
    ),
    "labels: absolute path": ("labels", build_labels("/b.png,2"), "did you mean b.png?"),
    "labels: backslash": ("labels", build_labels("x\\b.png,2"), "did you mean b.png?"),
    "labels: twice": ("labels", build_labels("a.png,2"), "this image already has a row at labels.csv:2"),
    "labels: no count": ("labels", build_labels("b.png,"), "`count` is empty"),
    "labels: negative count": ("labels", build_labels("b.png,-2"), "`count` is negative (-2)"),
    "labels: half a count": ("labels", build_labels("b.png,2.5"), "`count` is not an integer (2.5)"),
    "labels: NaN": ("labels", build_labels("b.png,nan"), f"`count` {NO_NUMBER}"),
    "labels: infinity": ("labels", build_labels("b.png,inf"), f"`count` {NO_NUMBER}"),
    "labels: word": ("labels", build_labels("b.png,two"), f"`count` {NO_NUMBER}"),
    "labels: unit": ("labels", build_labels("b.png,2 people"), f"`count` {NO_NUMBER}"),
    "labels: thousands": ("labels", build_labels('b.png,"2,000"'), f"`count` {NO_NUMBER}"),
    "labels: underscore": ("labels", build_labels("b.png,2_0"), f"`count` {NO_NUMBER}"),
    "labels: hexadecimal": ("labels", build_labels("b.png,0x2"), f"`count` {NO_NUMBER}"),
    "labels: huge count": ("labels", build_labels("b.png,1e20"), "`count` is above 16,777,216"),
    "labels: formula": ("labels", build_labels("b.png,=1+1"), f"`count` {NO_NUMBER}"),
    "labels: unused column": ("labels", "image,count,gruop\na.png,1,x\nb.png,2,x\n", "unused columns: gruop"),
    "labels: column without name": ("labels", "image,count,\na.png,1,x\nb.png,2,x\n", "unused columns: (no name)"),
    "labels: no group": ("labels", "image,count,group\na.png,1,x\nb.png,2,\n", "`group` is empty"),
    "labels: other split": ("labels", "image,count,split\na.png,1,\nb.png,2,dev\n", "`split` is 'dev'; allowed: train"),
    "labels: split in capitals": ("labels", "image,count,split\na.png,1,\nb.png,2,Test\n", "`split` is 'Test'"),
    "labels: no label": ("labels", "image,label\na.png,cat\nb.png,\n", "`label` is empty"),
    "labels: image has no row": ("labels", "image,count\na.png,1\n", "1 image below images/ has no row in labels.csv"),
    "points: empty": ("points", "", "points.csv: the file is empty"),
    "points: no y": ("points", "image,x\na.png,5\n", "no column `y`"),
    "points: NaN": ("points", build_points("b.png,nan,6"), f"`x` {NO_NUMBER}"),
    "points: empty cell": ("points", build_points("b.png,6,"), "`y` is empty"),
    "points: word": ("points", build_points("b.png,6,low"), f"`y` {NO_NUMBER}"),
    "points: unknown image": ("points", build_points("c.png,6,6"), "c.png: this image has no row in labels.csv"),
    "points: too few": ("points", "image,x,y\na.png,5,5\nb.png,6,6\n", "`count` is 2, but points.csv has 1 point"),
    "points: too many": ("points", f"{POINTS}a.png,1,1\n", "`count` is 1, but points.csv has 2 points"),
    "points: twice": ("points", build_points("b.png,7,9"), "1 points are duplicates within an image"),
    "points: far outside": (
        "points",
        build_points("b.png,99,6"),
        "reach beyond their image and were moved to its edge",
    ),
    "points: negative": ("points", build_points("b.png,-1,6"), "reach beyond their image"),
    "points: shares": ("points", "image,x,y\na.png,.5,.5\nb.png,.1,.6\nb.png,.7,.9\n", "between 0 and 1, like shares"),
    "points: unused column": ("points", "image,x,y,z\na.png,5,5,1\nb.png,6,6,1\nb.png,7,9,1\n", "unused columns: z"),
    "boxes: empty": ("boxes", "", "boxes.csv: the file is empty"),
    "boxes: width and height": ("boxes", "image,x,y,width,height\na.png,5,5,4,4\n", "no column `x0`, `y0`, `x1`, `y1`"),
    "boxes: corners swapped": ("boxes", build_boxes("b.png,9,9,6,6"), "the box has no area: x from 9 to 6"),
    "boxes: flat": ("boxes", build_boxes("b.png,6,6,9,6"), "the box has no area"),
    "boxes: outside": (
        "boxes",
        build_boxes("b.png,40,6,50,9"),
        "the box has no area inside its image of 30 x 20 pixels",
    ),
    "boxes: partly outside": (
        "boxes",
        build_boxes("b.png,6,6,50,9"),
        "reach beyond their image and were moved to its edge",
    ),
    "boxes: infinite": ("boxes", build_boxes("b.png,6,6,inf,9"), f"`x1` {NO_NUMBER}"),
    "boxes: empty cell": ("boxes", build_boxes("b.png,6,,9,9"), "`y0` is empty"),
    "boxes: unknown image": ("boxes", build_boxes("c.png,6,6,9,9"), "c.png: this image has no row in labels.csv"),
    "boxes: too few": ("boxes", "image,x0,y0,x1,y1\na.png,5,5,9,9\n", "but boxes.csv has 0 boxes for this image"),
    "boxes: twice": ("boxes", build_boxes("b.png,7,9,12,15"), "1 boxes are duplicates within an image"),
    "boxes: shares": ("boxes", "image,x0,y0,x1,y1\na.png,.5,.5,.7,.7\nb.png,0,0,1,1\n", "like shares of the image"),
    "boxes: no class": ("boxes", "image,x0,y0,x1,y1,kind\na.png,5,5,9,9,\n", "`kind` is empty"),
    "boxes: semicolons": ("boxes", BOXES.replace(",", ";"), "The columns are separated by ';'"),
    "other table": ("annotations", BOXES, "tables that are not read: annotations.csv"),
}
"""By kind: the table's name, its content, and a part of the message."""

GOOD_TABLES: dict[str, str] = {
    "byte order mark": f"\ufeff{LABELS}",
    "lines of Windows": LABELS.replace("\n", "\r\n"),
    "lines of old Macs": LABELS.replace("\n", "\r"),
    "no last line end": LABELS.rstrip(),
    "blank lines": LABELS.replace("\n", "\n\n"),
    "spaces": "image , count\na.png, 1\n b.png , 2\n",
    "quotes": '"image","count"\n"a.png","1"\n"b.png","2"\n',
    "point zero": LABELS.replace(",1", ",1.0"),
    "exponent": LABELS.replace(",2", ",2e0"),
    "other order": "count,image\n2,b.png\n1,a.png\n",
    "path from the table": LABELS.replace("b.png", "images/b.png"),
}
"""Odd labels of the same two images, one and two people."""
