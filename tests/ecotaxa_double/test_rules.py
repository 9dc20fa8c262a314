"""Our validator of packages against what the real importer was recorded to say about the same packages.

Whatever the importer refuses, the validator refuses before the upload; where it is stricter, it is for a reason. (The
double has importer's rules of its own, made from the recording, so that this compares two things.)
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aqqua.export.ecotaxa_rules import validate
from tests.ecotaxa_double.packages import PACKAGES
from tests.ecotaxa_double.taxa import TAXA
from tests.ecotaxa_double.test_replay import recorded

STRICTER = {
    "err_category_no_status": "no_status",  # the importer drops the category without a word
    "err_ok_utf8_nobom_accents": "encoding",  # it takes è for Ã¨
    "x_nan_inf_comma": "position",  # it takes a latitude of NaN for none
}
SERVER_ONLY = {
    "err_dup_object": "the object is in the project already",
    "y_second_same_zip_name": "a former upload of the same name is in the same folder",
    "import_new_asks": "a question, not a refusal",
}


def imports() -> dict[str, bool]:
    """Recorded imports of new objects: whether the importer refused them."""
    found: dict[str, bool] = {}
    for entry in recorded():
        job = entry.get("job", {})
        label = re.sub(r"_(after_answer_)?job_.$", "", entry["label"])
        if job.get("type") == "FileImport" and not job["req"]["update_mode"] and label in PACKAGES:
            found.setdefault(label, job["state"] != "F")
    return found


@pytest.mark.parametrize(("label", "refused"), imports().items())
def test_the_validator_agrees_with_the_importer(label: str, refused: bool, tmp_path: Path) -> None:
    path = tmp_path / f"{label}.zip"
    path.write_bytes(PACKAGES[label]())
    errors = [finding.code for finding in validate(path, taxon_ids=set(TAXA)) if finding.severity == "error"]
    if label in STRICTER:
        assert STRICTER[label] in errors
        assert not refused
    elif label in SERVER_ONLY:
        assert refused
        assert errors == []
    else:
        assert bool(errors) == refused


def test_all_recorded_refusals_are_compared() -> None:
    assert sum(imports().values()) >= 22
