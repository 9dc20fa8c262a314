"""Writers of miniature sources."""
