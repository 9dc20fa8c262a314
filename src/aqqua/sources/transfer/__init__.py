"""Fetching raw sources: web, FTP, WebDAV, Nextcloud, S3, Zenodo, other disks; resumed where it broke off.

Reading guide: `places` says what a place is and which address means which, one module per kind (`web`, `webdav`,
`zenodo`, `ftp`, `s3`, `local`) lists and opens files, `resume` fetches one file, `checksums` knows what it should be,
and `fetch` is the verb. A new kind of place is one class and one line in `places.PLACES`.
"""

from aqqua.sources.transfer.fetch import FetchReport, fetch

__all__ = ["FetchReport", "fetch"]
