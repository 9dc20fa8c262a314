"""Readers of untrusted files, attacked: `make fuzz` for long, the tests here for a moment."""
