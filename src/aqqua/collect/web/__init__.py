"""The desk as web pages: the sharing form, the contributor's private page, the curators' desk, the progress page.

Reading guide: `settings`, `guard` (what stands before all routes), `keys` (cookies, sessions, and the proof that a form
is ours), `written` (answers out of a web form), `pages` (templates), `public`, `private` and `desk` (routes), `app`
(all of it put together), `serve` (the verb).
"""

from aqqua.collect.web.app import create_desk
from aqqua.collect.web.settings import Settings

__all__ = ["Settings", "create_desk"]
