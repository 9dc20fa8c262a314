"""Transfer advice by the size and the place of the data."""

from __future__ import annotations

import pytest

from aqqua.collect.advice import advise


@pytest.mark.parametrize(
    ("location", "size_gb", "wish", "way"),
    [
        ("ecotaxa", 900, "advice", "ecotaxa"),
        ("server", 5, "ecotaxa", "ecotaxa"),
        ("public", 4000, "advice", "link"),
        ("server", 19, "advice", "cloud"),
        ("server", 20, "advice", "gigamove"),
        ("server", 200, "advice", "gigamove"),
        ("server", 201, "advice", "globus"),
        ("disk", 5000, "advice", "disk"),
        ("disk", 5, "advice", "cloud"),
        ("server", 900, "cloud", "globus"),  # no cloud share holds that
        ("server", 900, "ftp", "ftp"),
        ("server", 5, "disk", "disk"),
    ],
)
def test_ways(location: str, size_gb: float, wish: str, way: str) -> None:
    advice = advise({"location": location, "size_gb": size_gb, "transfer": wish, "address": ""})
    assert advice.way == way
    assert advice.steps


def test_ecotaxa_comes_with_the_command_that_grants_the_view() -> None:
    address = "https://ecotaxa.obs-vlfr.fr/prj/1234 and prj/77"
    advice = advise({"location": "ecotaxa", "size_gb": 1, "address": address})
    assert advice.command == "aqqua ecotaxa grant --projects 1234 77 --right view --apply"
    assert "aqqua@geomar.de" in advice.steps[0]


def test_what_can_be_fetched_already_need_not_be_uploaded() -> None:
    advice = advise({"location": "server", "size_gb": 85, "address": "https://cloud.example.org/s/abc"})
    assert (advice.way, advice.fetchable) == ("link", True)


def test_large_uploads_are_told_their_parts() -> None:
    assert "in 2 parts of at most 100 GB" in advise({"location": "server", "size_gb": 150}).steps[0]
    assert "parts" not in advise({"location": "server", "size_gb": 99}).steps[0]


@pytest.mark.parametrize(
    ("address", "fetched"), [("https://cloud.example.org/s/abc", True), ("ask me", False), ("", False)]
)
def test_only_an_address_can_be_fetched(address: str, fetched: bool) -> None:
    assert advise({"location": "server", "size_gb": 1, "address": address}).fetchable is fetched
