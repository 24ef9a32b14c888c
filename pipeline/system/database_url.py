"""URLs of the storages that Optuna opens: reading one, saying where it leads, and what an error means.

No text that is made here has a password. Imports SQLAlchemy and Optuna.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from thalweg.system import files
from thalweg.system.files import UserError

JOURNAL = "journal://"
"""The scheme of a journal: a file, which may also be given by its path alone."""
CONNECT_SECONDS = 5
"""How long a server may take to answer, if the URL does not say."""
LOCKED_SECONDS = 10
"""How long another process may lock an SQLite file, if the URL does not say."""
PLACES = ("host", "hostaddr", "port", "dbname", "service")
"""Options of a URL that say where it leads, such as the folder of a socket."""
SECRETS = ("password", "secret")
"""An option is hidden whose name contains one of these."""


def parse_url(text: str, name: str, allowed: str) -> URL:
    """Read the URL that `name` gives. Raises `UserError`, which lists what is allowed, if no database can have it."""
    try:
        url = make_url(text)
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        fault = f'names the database system "{text.partition(":")[0]}", which SQLAlchemy does not know'
    except (ArgumentError, ValueError):  # their texts may hold a part of the password
        fault = "is not the URL of a database"
    except ImportError as error:
        fault = f"needs a driver that is not installed ({error})"
    else:
        address = text.rpartition("?")[0] if url.query else text
        if url.password is not None and address.count("@") > 1:  # what follows the first one is no host
            fault = "has two @; write an @ of the user or password as %40"
        elif url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            fault = "names no file, so nothing is kept in it"
        else:
            return url
    raise UserError(f"{name} {fault}. Allowed: {allowed}.")


def is_journal(text: str) -> bool:
    """Return whether a storage is a journal, and no database; a mistyped URL with a password is none."""
    return text.startswith(JOURNAL) or ("://" not in text and "@" not in text)


def find_journal(text: str, name: str, allowed: str) -> Path:
    """Return the path of a journal: the path itself, or what follows `journal:///`, relative or absolute.

    Raises `UserError`, which lists what is allowed, if there is no such file.
    """
    rest = text.removeprefix(JOURNAL)
    relative = Path(rest.removeprefix("/") if text.startswith(JOURNAL) else rest)
    found = next((path for path in (relative, Path(rest)) if files.path_exists(path)), None)
    if found is None:
        raise UserError(f"{name}: {relative}: no such file. Allowed: {allowed}")
    return found


def describe_url(url: URL) -> str:
    """Return where a URL leads, without user, password and most options."""
    place = URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()
    options = [f"{name}={value}" for name in PLACES for value in list_values(url, name)]
    return f"{place}?{'&'.join(options)}" if options else place


def list_values(url: URL, option: str) -> tuple[str, ...]:
    """Return the values of an option, which a URL may give several times."""
    given = url.query.get(option, ())
    return (given,) if isinstance(given, str) else given


def find_file(url: URL) -> Path:
    """Return the file of an SQLite database, which may be given as SQLite's own URI (`file:name?uri=true`)."""
    database = url.database or ""
    return Path(database.removeprefix("file:") if "uri" in url.query else database)


def choose_patience(url: URL) -> dict[str, Any]:
    """Return the arguments of a connection that limit how long it waits, if the URL itself does not."""
    limits = {"sqlite": {"timeout": LOCKED_SECONDS}, "postgresql": {"connect_timeout": CONNECT_SECONDS}}
    chosen = limits.get(url.get_backend_name(), {})
    return {name: seconds for name, seconds in chosen.items() if name not in url.query}


def render_template(url: URL) -> str:
    """Return a URL, with its password, as Optuna's storage takes it: as a template, where a brace is written twice."""
    text: str = url.render_as_string(hide_password=False)
    return text.replace("{", "{{").replace("}", "}}")


@contextmanager
def explain_errors(fault: str, url: URL, kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn errors of these kinds into a `UserError`: the fault, and why."""
    try:
        yield
    except UserError:
        raise
    except kinds as error:
        # SQLAlchemy writes the whole URL into this one, and a notebook shows causes
        raise UserError(f"{fault}: {find_reason(error, url)}") from (None if _is_about_url(error) else error)


def find_reason(error: BaseException, url: URL) -> str:
    """Return the first line of what a driver says, without the password."""
    if isinstance(error, RuntimeError) and "table schema" in str(error):
        return f"another version of Optuna made its tables (here is {optuna.__version__})"
    if _is_about_url(error):
        return "it is not a valid URL"
    cause = error.__cause__ if isinstance(error, optuna.exceptions.OptunaError) and error.__cause__ else error
    driver_error = cause.orig if isinstance(cause, DBAPIError) and cause.orig else cause
    reason = (str(driver_error).strip().splitlines() or [""])[0].rstrip(".") or type(driver_error).__name__
    for secret in _list_secrets(url):
        reason = reason.replace(secret, "***")
    return reason if isinstance(cause, SQLAlchemyError) else f"{reason} ({type(driver_error).__name__})"


def _is_about_url(error: BaseException) -> bool:
    return isinstance(error, ArgumentError)


def _list_secrets(url: URL) -> list[str]:
    hidden = [name for name in url.query if any(word in name.lower() for word in SECRETS)]
    values = [url.password, *(value for name in hidden for value in list_values(url, name))]
    return [str(value) for value in values if value]
