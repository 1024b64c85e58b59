"""The static check of a SavedModel: which files, objects and operations it has, without running any of them.

It knows nothing of what an operation does: what is not on the list is refused. docs/security.md names the rules.
"""

from service.engine.inspection.findings import Finding, summary, told
from service.engine.inspection.inspector import inspect

__all__ = ["Finding", "inspect", "summary", "told"]
