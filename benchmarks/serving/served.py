"""A model that a server serves: how it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.serving.contenders import Server
from benchmarks.serving.models import Reference
from benchmarks.serving.process import Answer, Running
from benchmarks.serving.protocols import PROTOCOLS, Protocol, Request


@dataclass(frozen=True)
class Served:
    """A model that a server serves.

    Args:
        server: who.
        running: its process.
        model: the model's name.
        known: its rows and outputs.
    """

    server: Server
    running: Running
    model: str
    known: Reference

    def protocol(self, encoding: str) -> Protocol:
        """How the server is asked in an encoding."""
        return PROTOCOLS[self.server.protocols[encoding]]

    def path(self, encoding: str) -> str:
        """What is posted to."""
        return self.protocol(encoding).path.format(model=self.server.model(self.model))

    def request(self, encoding: str, rows: np.ndarray) -> Request:
        """A request for rows."""
        return self.protocol(encoding).ask(self.known.input_name, self.known.output_name, rows)

    def ask(self, encoding: str, rows: np.ndarray) -> Answer:
        """Ask once."""
        request = self.request(encoding, rows)
        return self.running.ask("POST", self.path(encoding), request.body, request.headers)
