"""Every legal URL is read and described; its user and password stand in no text."""

import traceback

import pytest
from sqlalchemy.exc import ArgumentError, OperationalError

from thalweg.system import database_url
from thalweg.system.database_url import describe_url, explain_errors, find_file, find_reason, parse_url
from thalweg.system.files import UserError

HOST = "postgresql+psycopg://db.example:5432/studies"
PLACES = {
    "postgresql+psycopg://me:hush@db.example:5432/studies": HOST,
    "postgresql+psycopg://me:a%40b%2Fc%3A%7Bd%7D@db.example:5432/studies": HOST,
    "postgresql+psycopg://me:a/b:c?{d}@db.example:5432/studies": HOST,
    "postgresql+psycopg://me%40work:hush@db.example:5432/studies": HOST,
    "postgresql+psycopg://db.example:5432/studies?user=me&password=hush&sslmode=require": HOST,
    "postgresql+psycopg://me:hush@db.example:5432/studies?options=-csearch_path%3Dteam&connect_timeout=60": HOST,
    "postgresql+psycopg://me:hush@[::1]:5432/studies": "postgresql+psycopg://[::1]:5432/studies",
    "postgresql+psycopg://me:hush@/studies?host=/run/postgresql": (
        "postgresql+psycopg:///studies?host=/run/postgresql"
    ),
    "postgresql+psycopg://me:hush@/studies?host=one:5432&host=two:5433": (
        "postgresql+psycopg:///studies?host=one:5432&host=two:5433"
    ),
    "postgresql+psycopg:///?service=team&passfile=/home/me/hush": "postgresql+psycopg:///?service=team",
    "postgresql+psycopg://me:hush@h/a%40b": "postgresql+psycopg://h/a%40b",
    "postgresql+psycopg://h/a@b": "postgresql+psycopg://h/a%40b",
    "postgresql+psycopg://": "postgresql+psycopg://",
    "sqlite:////home/me@work/studies.db": "sqlite:////home/me%40work/studies.db",
}
"""Legal URLs, and where each leads."""
TWO_AT = (
    "postgresql+psycopg://me:hu@sh@h/studies",
    "postgresql+psycopg://me:hu@s/h@h/studies",
    "postgresql+psycopg://me:hu@s/h@h/studies?sslmode=require",
    "postgresql+psycopg://me:hu?@s/h@h/studies",
)
"""A password with an @ that is not written as %40: what follows it would be taken for a host, and be printed."""


@pytest.mark.parametrize(("url", "place"), PLACES.items())
def test_legal_url_says_where_it_leads(url: str, place: str) -> None:
    assert describe_url(parse_url(url, "IT", "that")) == place


@pytest.mark.parametrize("url", TWO_AT)
def test_second_at_is_refused(url: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_url(url, "IT", "that")
    assert str(raised.value) == "IT has two @; write an @ of the user or password as %40. Allowed: that."


def test_reason_hides_each_secret() -> None:
    url = parse_url("postgresql+psycopg://me:hush@h/d?password=one&sslpassword=two&sslmode=six", "IT", "that")
    error = OperationalError("SELECT", {}, Exception("bad hush, one, two, six.\nhush"))
    assert find_reason(error, url) == "bad ***, ***, ***, six"


def test_cause_does_not_show_the_url() -> None:
    """SQLAlchemy writes the whole URL into an error about it, and a notebook prints an error with its causes."""
    text = "sqlite://me:hush@h/studies.db"
    url, cause = parse_url(text, "IT", "that"), ArgumentError(f"Invalid SQLite URL: {text}")
    with pytest.raises(UserError) as raised, explain_errors("IT cannot be used", url, (Exception,)):
        raise cause
    shown = "".join(traceback.format_exception(raised.value))
    assert "IT cannot be used: it is not a valid URL" in shown
    assert "hush" not in shown


def test_patience_of_the_url_counts() -> None:
    choose = database_url.choose_patience
    assert choose(parse_url("postgresql+psycopg://h/d", "IT", "that")) == {"connect_timeout": 5}
    assert choose(parse_url("postgresql+psycopg://h/d?connect_timeout=60", "IT", "that")) == {}
    assert choose(parse_url("sqlite:///a.db", "IT", "that")) == {"timeout": 10}
    assert choose(parse_url("sqlite:///a.db?timeout=60", "IT", "that")) == {}


@pytest.mark.parametrize("url", ["sqlite:////a/b.db", "sqlite:///file:/a/b.db?mode=rwc&uri=true"])
def test_file_of_sqlite_is_found(url: str) -> None:
    assert find_file(parse_url(url, "IT", "that")).as_posix() == "/a/b.db"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("study.log", True),
        ("journal:///a@b.log", True),
        ("sqlite:///a.db", False),
        ("postgresql:ME:SECRET@HOST/DB", False),
    ],
)
def test_mistyped_urls_are_no_journals(text: str, answer: bool) -> None:
    """Their text may have a password, so no message repeats it."""
    assert database_url.is_journal(text) is answer
    if "SECRET" in text:
        with pytest.raises(UserError, match="--optuna is not the URL of a database") as caught:
            database_url.parse_url(text, "--optuna", "x")
        assert "SECRET" not in str(caught.value)
