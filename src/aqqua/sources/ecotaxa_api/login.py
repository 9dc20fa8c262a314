"""Who speaks to the server: a token from the environment, the keyring of the system, or a password asked for.

aqqua never writes a token or a password to a file or a log of its own.
"""

from __future__ import annotations

import getpass
import os
import sys
from typing import cast

from aqqua.errors import RefusedError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.polite import Manners

__all__ = ["TOKEN_ENV", "connect", "stored_token"]

TOKEN_ENV = "AQQUA_ECOTAXA_TOKEN"  # noqa: S105 (the name of a variable)
_SERVICE = "aqqua ecotaxa"


def connect(
    server: str | None = None, *, user: str | None = None, ask: bool = True, manners: Manners | None = None
) -> EcotaxaClient:
    """Make a client with a login: AQQUA_ECOTAXA_TOKEN, else the keyring, else name and password are asked for.

    Args:
        server: address of the API; None for AQQUA_ECOTAXA_URL, else production.
        user: e-mail address of the account, if it must be asked for a password.
        ask: whether somebody is there to be asked.
        manners: pace and patience.

    Raises:
        RefusedError: there is no login, or it is wrong.
    """
    client = EcotaxaClient(server, manners=manners)
    client.wire.token = stored_token(client.server)
    if client.wire.token is None:
        if not (ask and sys.stdin.isatty()):
            do = f"set {TOKEN_ENV} to a token, or run this in a terminal to be asked for the password"
            raise RefusedError("there is no login for EcoTaxa", where=client.server, do=do)
        name = user or input(f"EcoTaxa account (e-mail) at {client.server}: ").strip()
        client.log_in(name, getpass.getpass("Password: "))
    return client


def stored_token(server: str) -> str | None:
    """A token from the environment, or from the keyring of the system if the module `keyring` is installed.

    Args:
        server: address of the API; the name under which the keyring has the token.
    """
    if token := os.environ.get(TOKEN_ENV, "").strip():
        return token
    try:
        import keyring
    except ImportError:
        return None
    try:
        return cast("str | None", keyring.get_password(_SERVICE, server))
    except Exception:  # no keyring on this machine, or it is locked; each back-end has errors of its own
        return None
