"""Who may do what on a project, as changes of its raw JSON: pure functions, nothing is sent.

EcoTaxa replaces a project and its whole list of rights at once, so whatever is not meant to change must come back as it
was read, keys we do not know included.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from aqqua.sources.ecotaxa_api.models import Right

__all__ = ["contact_problem", "differences", "right_in", "with_contact", "with_right"]

Raw = dict[str, Any]
_LISTS = tuple(right.key for right in Right)
_COMPUTED = {"objcount", "pctvalidated", "pctclassified", "highest_right"}
"""What the server counts: it changes while others work."""


def right_in(raw: Mapping[str, Any], user_id: int) -> Right | None:
    """The highest right of a user in a project."""
    for right in reversed(Right):
        if any(member.get("id") == user_id for member in raw.get(right.key) or ()):
            return right
    return None


def with_right(raw: Mapping[str, Any], member: Mapping[str, Any], right: Right | None) -> Raw:
    """The project with exactly this right for a user, in one list only (in two, the server fails); None takes it away.

    Args:
        raw: the project as read.
        member: id, name, email and organisation of the user; the server wants all four.
        right: the right.
    """
    changed = copy.deepcopy(dict(raw))
    for key in _LISTS:
        changed[key] = [one for one in changed.get(key) or [] if one.get("id") != member["id"]]
    if right is not None:
        needed = {"id": member["id"], "email": member["email"], "name": member["name"]}
        changed[right.key].append({**needed, "organisation": member.get("organisation") or ""})
    return changed


def with_contact(raw: Mapping[str, Any], member: Mapping[str, Any]) -> Raw:
    """The project with this contact, who must be one of its managers."""
    return {**copy.deepcopy(dict(raw)), "contact": dict(member)}


def contact_problem(raw: Mapping[str, Any]) -> str | None:
    """Why the server would refuse the contact of a project, if it would."""
    contact = raw.get("contact")
    if not contact:
        return "it has no contact (or one whose account is inactive)"
    if contact.get("id") not in {manager.get("id") for manager in raw.get("managers") or ()}:
        return f"its contact, {contact.get('name', 'somebody')}, does not manage it"
    return None


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Keys in which a project differs from what was sent; not what the server counts, nor the order of people.

    An empty `bodc_variables` comes back as three names without value, which means the same.
    """
    keys = [key for key in {**wanted, **found} if key not in _COMPUTED]
    return sorted(key for key in keys if _meaning(key, wanted.get(key)) != _meaning(key, found.get(key)))


def _meaning(key: str, value: Any) -> Any:
    if key in _LISTS:
        return sorted(_ids(value or ()))
    if key == "contact":
        return (value or {}).get("id")
    if key == "bodc_variables":
        return {name: text for name, text in (value or {}).items() if text}
    return value


def _ids(members: Iterable[Mapping[str, Any]]) -> list[int]:
    return [int(member["id"]) for member in members]
