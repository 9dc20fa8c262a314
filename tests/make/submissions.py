"""Submissions as a contributor would fill them in."""

from __future__ import annotations

from typing import Any

__all__ = ["whole_answers"]


def whole_answers(**other: Any) -> dict[str, Any]:
    """Answers to the whole form, as a web form sends them; `other` wins."""
    answers: dict[str, Any] = {
        "contact_name": "Ada Larsen",
        "contact_email": "ada.larsen@institute.example",
        "institution": "Institute of Marine Research, Exampletown",
        "decision_maker": "Jo Adeyemi",
        "decision_maker_agrees": "yes",
        "people": [
            {
                "name": "Ada Larsen",
                "orcid": "0000-0002-1825-0097",
                "affiliation": "Institute of Marine Research",
                "roles": "Investigation, Data curation",
                "author": "yes",
            },
            {"name": "Jo Adeyemi", "roles": "Supervision", "author": "no"},
        ],
        "title": "IFCB time series, Example Bay, 2015–2024",
        "instrument": "IFCB",
        "habitat": "marine",
        "images": "1200000",
        "size_gb": "85",
        "formats": ["ifcb"],
        "copies": "one",
        "has_time": "all",
        "has_position": "all",
        "has_depth": "all",
        "has_pixel_size": "all",
        "has_labels": "some",
        "has_volume": "all",
        "location": "server",
        "address": "https://cloud.example.org/s/aBcDeF123456",
        "licence": "CC-BY-4.0",
        "licence_rights": "yes",
        "training": "yes",
        "publish": "on",
        "publish_on": "2097-07-15",
        "publish_licence": "CC-BY-NC-4.0",
        "global_interpolation": "yes",
        "privacy": "yes",
    }
    return answers | other
