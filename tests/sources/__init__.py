"""Tests of the readers of raw sources and of the ingest."""
