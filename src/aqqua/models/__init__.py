"""The network, what it sees, and how it is kept on disk."""
