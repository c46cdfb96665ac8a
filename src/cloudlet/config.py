"""The settings of a node: one dataclass, from which the command line and the docs are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Config:
    """Each field's `help` is the text of its command line option."""

    data: Path = field(default=Path(".cloudlet"), metadata={"help": "data directory, private to you"})
    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=4566, metadata={"help": "port of everything; 0 takes a free one"})
    account: str = field(default="000000000000", metadata={"help": "account of the credentials test/test"})
    region: str = field(default="us-east-1", metadata={"help": "region of requests that name none"})
    durability: str = field(
        default="full",
        metadata={
            "help": "full: acknowledged means on disk; relaxed: for test suites, a crash loses the last writes"
        },
    )
    cache_port: int = field(
        default=6379,
        metadata={"help": "caches get the first free port from this one on, unless they ask for one"},
    )

    @property
    def home(self) -> str:
        """Host and port under which a client on this machine reaches the node."""
        return f"localhost:{self.port}"
