"""Benchmarks: every number in docs/explanation/performance.md is printed again by one of these modules."""
