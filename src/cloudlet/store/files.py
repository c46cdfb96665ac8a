"""The files of the SQLite store in the data directory, and what is done to them besides SQL.

    store.sqlite        the database (its WAL and index beside it); anybody may read it while the node runs
    lock                held (flock) by the node that has the directory open; has its pid

`application_id` says that a file is ours, `user_version` is the version of its schema:

    1   kv(k, v): the pairs.  meta(name, value): `life`, how often the store was opened
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import apsw

from ..errors import UserError

APPLICATION_ID = 0x436C6F75
SCHEMA_VERSION = 1
PAGE_SIZE = 8192
"""With SQLite's 4 KB a value of more than 1 KB has a page of its own besides: reading 1 KB rows took twice as long."""
SCHEMA = """
CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('life', 0);
"""
REWRITE_CHUNK = 1 << 20


def open_files(directory: Path) -> Files:
    """Take the directory's lock, make or check the database, begin a new life."""
    try:
        # A directory that was there keeps its mode: it may be anybody's. The files are private in any case.
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(directory)
        try:
            return Files(directory, lock)
        except BaseException:
            os.close(lock)
            raise
    except (OSError, apsw.Error) as error:
        raise UserError(f"The data directory {directory} can't be used: {error}.") from error


def sync_file(fd: int) -> None:
    """The one place where we wait for the disk."""
    os.fdatasync(fd)


class Files:
    def __init__(self, directory: Path, lock: int) -> None:
        self.path = directory / "store.sqlite"
        self._lock = lock
        keeper = self._open_database()
        try:
            self.life = self._begin_life(keeper)
            self._wal = os.open(f"{self.path}-wal", os.O_RDWR)
            try:
                sync_file(self._wal)
                _sync_directory(directory)
            except BaseException:
                os.close(self._wal)
                raise
        except BaseException:
            keeper.close()
            raise
        self._keeper = keeper

    def connect(self) -> apsw.Connection:
        """The connection that reads and writes."""
        db = apsw.Connection(str(self.path), statementcachesize=64)
        db.set_busy_timeout(100)
        db.pragma("synchronous", "normal")
        db.wal_autocheckpoint(0)
        return db

    def sync(self) -> None:
        sync_file(self._wal)

    def rewrite_wal(self) -> None:
        """Write the WAL's bytes again, and sync. For after a sync that failed: the kernel has then marked the pages
        clean whether or not they are on disk, so that another sync alone would succeed and mean nothing."""
        size = os.fstat(self._wal).st_size
        for at in range(0, size, REWRITE_CHUNK):
            os.pwrite(self._wal, os.pread(self._wal, REWRITE_CHUNK, at), at)
        sync_file(self._wal)

    def checkpoint(self) -> tuple[int, int]:
        """Copy the WAL to the database, as far as nobody is in the way. Returns its pages and those that are copied."""
        return self._keeper.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def close(self) -> None:
        try:
            self._keeper.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            self._keeper.close()
            os.close(self._wal)
            os.close(self._lock)

    def _open_database(self) -> apsw.Connection:
        os.close(
            os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        )  # SQLite gives its other files the same mode
        db = apsw.Connection(str(self.path))
        try:
            db.set_busy_timeout(1000)
            db.pragma("page_size", PAGE_SIZE)  # holds for a new file only
            db.pragma("journal_mode", "wal")
            db.pragma("synchronous", "normal")
            db.wal_autocheckpoint(0)
            if db.pragma("application_id") == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchall():
                with db:
                    db.execute(SCHEMA)
                    db.pragma("application_id", APPLICATION_ID)
                    db.pragma("user_version", SCHEMA_VERSION)
            self._check(db)
            db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)  # what a crash left, for certain on disk
        except apsw.NotADBError:
            db.close()
            raise UserError(
                f"{self.path} is not a database of Cloudlet. Choose another directory with --data."
            ) from None
        except BaseException:
            db.close()
            raise
        return db

    def _check(self, db: apsw.Connection) -> None:
        if db.pragma("application_id") != APPLICATION_ID:
            raise UserError(
                f"{self.path} is not a database of Cloudlet. Choose another directory with --data."
            )
        version = db.pragma("user_version")
        if version > SCHEMA_VERSION:
            raise UserError(
                f"{self.path} was made by a newer Cloudlet (schema {version}, this one knows {SCHEMA_VERSION}). "
                "Update Cloudlet, or choose another directory with --data."
            )

    def _foreign(self) -> UserError:
        return UserError(f"{self.path} is not a database of Cloudlet. Choose another directory with --data.")

    @staticmethod
    def _begin_life(db: apsw.Connection) -> bytes:
        """Stamps begin with the number of the life, so none is ever below one of an earlier life."""
        with db:
            life: int = db.execute(
                "UPDATE meta SET value = value + 1 WHERE name = 'life' RETURNING value"
            ).get
        return life.to_bytes(4, "big")


def _lock(directory: Path) -> int:
    path = directory / "lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(fd, 32).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise UserError(
            f"{directory} is in use by another node (pid {pid}). "
            "Stop that one, or choose another directory with --data."
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
