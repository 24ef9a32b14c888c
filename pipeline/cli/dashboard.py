"""Show the studies of Optuna's storage in optuna-dashboard, to this machine only."""

import os
import socket

from thalweg.search import storage_place
from thalweg.system import files

HOST = "127.0.0.1"


def run_dashboard(port: int) -> None:
    """Serve the dashboard until Ctrl-C. Raises `UserError` without a storage, or where the port cannot be used."""
    if not storage_place.is_chosen() and not files.path_exists(storage_place.DEFAULT_FILE):
        raise files.UserError("no study yet; start one with `thalweg run` or `thalweg study`")
    from thalweg.search import database  # imports SQLAlchemy and Optuna

    storage = database.open_storage(create=False)
    _check_port(port)
    from optuna_dashboard import run_server  # takes a second to import

    print(f"optuna-dashboard: http://{HOST}:{port}/ (stop with Ctrl-C)", flush=True)
    run_server(storage, host=HOST, port=port)


def _check_port(port: int) -> None:
    """Raise `UserError` if this process cannot listen on a port."""
    fault = "it must be 1 to 65535"
    if 1 <= port <= 65535:
        try:
            socket.create_server((HOST, port)).close()
            return
        except OSError as error:
            fault = os.strerror(error.errno or 0).lower()  # its own text names the port again
    raise files.UserError(f"--port: {port} cannot be used: {fault}; choose another port")
