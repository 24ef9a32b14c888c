from thalweg.api.data import Data as Data
from thalweg.api.report import Report as Report
from thalweg.api.run import run as run
from thalweg.api.study import Best as Best
from thalweg.api.study import Study as Study
from thalweg.api.study import load as load
from thalweg.reporting.finding import Finding as Finding
from thalweg.system.files import UserError as UserError

__version__: str
