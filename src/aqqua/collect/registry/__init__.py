"""The registry: submissions, their history and consents, and who may look at them; SQLite or PostgreSQL.

Reading guide: `submission` says what is kept and which step may follow which, `tables` how it lies in the database,
`history` keeps the audit trail, `curators` the logins, and `registry` does the work. `migrations/` brings older
databases up to date.
"""

from aqqua.collect.registry.history import Event
from aqqua.collect.registry.registry import Registry
from aqqua.collect.registry.submission import State, Submission

__all__ = ["Event", "Registry", "State", "Submission"]
