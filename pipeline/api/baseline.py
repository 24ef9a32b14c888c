"""Train the experiment of a params file with another seed, and print its metrics on the validation set as JSON.

`python -m thalweg.api.baseline FILE SEED`: one side of `thalweg compare`.
"""

import json
import sys
from pathlib import Path

from thalweg.api.commands import run_thalweg
from thalweg.api.experiment import read_experiment
from thalweg.api.places import open_place
from thalweg.system import files
from thalweg.system.files import UserError
from thalweg.system.paths import BASELINE_METRICS


def main() -> int:
    file, seed = sys.argv[1:]
    try:
        place = open_place(read_experiment(Path(file), {"seed": int(seed)}), None, None)
        run_thalweg(place, "run", "evaluate")
        print(json.dumps(files.read_json(place / BASELINE_METRICS)))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
