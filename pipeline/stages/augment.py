"""Write augmented copies of the training examples beside the originals, and a contact sheet."""

import numpy as np

from thalweg.artifacts import prepared
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data.offline import augment_examples, draw_contact_sheet, list_training_rows
from thalweg.system import progress
from thalweg.system.counts import format_count
from thalweg.system.images import write_image
from thalweg.system.paths import CONTACT_SHEET


def main(config: Config) -> str:
    examples, splits = prepared.read_originals()
    strengths = config.augment.offline.model_dump()
    copies = strengths.pop("copies")
    origin = np.tile(list_training_rows(splits), copies)
    reconcile = config.task.reconcile_labels
    chunks = augment_examples(examples, origin, strengths, config.seed, reconcile)
    copied = progress.track(chunks, "copying", len(origin), "image", size=len)
    prepared.write_copies(examples, copied, origin, prepared.augmentation_identity(config))
    sheet_rows = list_training_rows(splits)[:6]
    online = config.augment.online.model_dump()
    sheets = [examples.take_rows(sheet_rows)] + [
        next(augment_examples(examples, sheet_rows, online, rng.derive_seed(config.seed, "sheet", row), reconcile))
        for row in range(5)
    ]
    write_image(CONTACT_SHEET, draw_contact_sheet(np.stack([row.images for row in sheets])))
    made = format_count(len(origin), "augmented copy", "augmented copies") if len(origin) else "no augmented copies"
    return f"{made}; {CONTACT_SHEET} shows what training sees"
