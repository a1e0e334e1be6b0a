"""A PostgreSQL server of its own for a test, in a folder that goes away with it."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ACCOUNT = "postgres"
"""PostgreSQL refuses to run as root; Debian's package makes this account."""


@contextmanager
def serve_postgres() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database. Skips the test where PostgreSQL is not installed, fails it in CI."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    path = os.pathsep.join([*map(str, reversed(binaries)), os.environ["PATH"]])
    initdb, pg_ctl = (shutil.which(name, path=path) for name in ("initdb", "pg_ctl"))
    if initdb is None or pg_ctl is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has no PostgreSQL; .ci/run installs it")
        pytest.skip("no PostgreSQL on this machine")
    account = ACCOUNT if os.getuid() == 0 else None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if account:
        shutil.chown(folder, account, account)

    def run(*command: str) -> None:
        subprocess.run(command, user=account, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=60)

    data, log = str(folder / "data"), str(folder / "log")
    try:
        run(initdb, "-D", data, "-U", "reader", "--auth=trust", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run(pg_ctl, "-D", data, "-l", log, "-o", options, "-w", "start")
        try:
            yield f"postgresql+psycopg://reader:$NOBODYS_PASSWORD@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
