"""Where MLflow keeps runs: one place for every workspace of a repository, also after the repository is moved."""

import atexit
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

SQLITE = "sqlite:///"
MISREAD = frozenset("%?#")
"""What a database's URL may not hold in its path: SQLAlchemy and MLflow do not agree on how it is escaped."""


def project_root() -> Path:
    """The main repository, even inside the temporary workspace of a queued experiment, which is deleted after it."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()


def tracking_uri(root: Path) -> str:
    """MLFLOW_TRACKING_URI, or mlflow.db in the repository; a relative path starts at `root`."""
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        return f"{SQLITE}{_readable(root) / 'mlflow.db'}"
    if uri.startswith(SQLITE):
        # Four slashes are an absolute path.
        return f"{SQLITE}{_readable(root) / uri.removeprefix(SQLITE)}"
    parts = urlsplit(uri)
    if parts.scheme == "file" and not parts.netloc and not parts.path.startswith("/"):
        return (root / parts.path).as_uri()
    return (root / uri).as_uri() if not parts.scheme and uri != "databricks" else uri


def artifact_location(uri: str, root: Path) -> str | None:
    """Where files of runs in a database go, as an absolute URI; None where a server decides."""
    return (root / "mlartifacts").as_uri() if uri.startswith("sqlite:") else None


def rehome(root: Path, old: str, new: str) -> None:
    """Make the repository's own database say `new` where it says that files lie below `old`: it was moved or copied.

    MLflow writes absolute places into it, and a moved clone would go on to write into the old one.
    """
    with closing(sqlite3.connect(root / "mlflow.db")) as database, database:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            database.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
            )


def is_own(root: Path) -> bool:
    """Whether runs go into the repository's own database."""
    return not os.environ.get("MLFLOW_TRACKING_URI") and (root / "mlflow.db").exists()


def _readable(root: Path) -> Path:
    """`root`, or a link to it where a URL cannot hold its name."""
    if not MISREAD & set(str(root)):
        return root
    folder = tempfile.TemporaryDirectory(prefix="fieldguide-")
    atexit.register(folder.cleanup)
    link = Path(folder.name) / "root"
    link.symlink_to(root)
    return link
