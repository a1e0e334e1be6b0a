"""`$NAME` is looked up where it is used; errors show neither it nor what a URL makes of it."""

import pytest

from fieldguide.credentials import mask_credentials, resolve
from fieldguide.errors import ParamsError

SECRET = "S3cr3t-mark"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://reader:$PASSWORD@host/plants", "postgresql://reader:S3cr3t-mark@host/plants"),
        ("mongodb://$USER_NAME:$PASSWORD@host/", "mongodb://ada:S3cr3t-mark@host/"),
        ("$ADDRESS", "postgresql://ada:S3cr3t-mark@host/db"),
        ("sqlite:///data/photos.sqlite", "sqlite:///data/photos.sqlite"),
        ("costs 5$", "costs 5$"),
    ],
)
def test_names_become_values(text: str, expected: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", SECRET)
    monkeypatch.setenv("USER_NAME", "ada")
    monkeypatch.setenv("ADDRESS", f"postgresql://ada:{SECRET}@host/db")
    resolved = resolve(text)
    assert resolved.text == expected
    assert SECRET not in repr(resolved)


def test_a_name_that_is_not_set_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PASSWORD", raising=False)
    with pytest.raises(ParamsError, match=r"^postgresql://reader:\$PASSWORD@host: the environment has no PASSWORD;"):
        resolve("postgresql://reader:$PASSWORD@host")


@pytest.mark.parametrize("password", ["S3c/r3t", "S3c@r3t", "S3c?r3t", "S3c#r3t", "S3c r3t", "S3c%r3t"])
def test_a_password_that_a_url_would_cut_is_refused(password: str, monkeypatch: pytest.MonkeyPatch):
    # Whoever parses the URL would take a part of it for a host or a database, and name that in an error.
    monkeypatch.setenv("PASSWORD", password)
    with pytest.raises(ParamsError, match="expected it percent-encoded") as caught:
        resolve("postgresql://reader:$PASSWORD@host/db")
    assert not any(part in str(caught.value) for part in ("S3c", "r3t"))


@pytest.mark.parametrize(
    "message",
    [
        "cannot connect to postgresql://reader:S3cr3t%2Fmark@host/db",
        "no host S3cr3t%2Fmark",
        "no host S3cr3t/mark",
        "FATAL: password 'S3cr3t/mark' for\n  'reader'",
    ],
)
def test_a_message_is_masked_however_the_secret_is_spelt(message: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", "S3cr3t%2Fmark")
    shown = resolve("postgresql://reader:$PASSWORD@host/db").mask(RuntimeError(message))
    assert "S3cr3t" not in shown
    assert "mark" not in shown
    assert "\n" not in shown
    assert "reader" in shown or "no host ***" in shown


def test_a_secret_is_masked_also_where_the_variable_holds_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ADDRESS", f"postgresql://ada:{SECRET}@host/db")
    assert resolve("$ADDRESS").mask(f"no password {SECRET}") == "no password ***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://ada:pw@host:5000/path failed", "http://ada:***@host:5000/path failed"),
        ("http://ada:p@w/x@host failed", "http://ada:***@host failed"),
        ("http://ada:$PASSWORD@host", "http://ada:$PASSWORD@host"),
        ("http://host:5000/a@b", "http://host:***@b"),
        ("https://www.flickr.com/photos/12@N05/3", "https://www.flickr.com/photos/12@N05/3"),
        ("http://host/path", "http://host/path"),
    ],
)
def test_credentials_in_urls_are_masked(text: str, expected: str):
    assert mask_credentials(text) == expected
