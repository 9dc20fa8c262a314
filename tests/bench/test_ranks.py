from __future__ import annotations

import numpy as np
import pytest

from aqqua.bench.ranks import by_rank

CLASSES = ["Calanus", "Metridia", "Oithona", "Beroe", "unknown_sticks"]


def test_a_wrong_genus_may_be_the_right_order() -> None:
    true = np.array([0, 0, 1, 2, 3, 4])
    found = np.array([0, 1, 0, 2, 3, 0])
    told = by_rank(CLASSES, CLASSES, true, found)
    assert told["genus"]["top1"] == pytest.approx(3 / 5)
    assert told["order"]["top1"] == 1
    assert told["phylum"]["images"] == 5  # the stick is nowhere in the tree
    assert told["phylum"]["taxa"] == 2


def test_an_answer_above_the_rank_is_wrong_there() -> None:
    classes = ["Calanus", "Metridia", "Copepoda"]
    told = by_rank(classes, classes, np.array([0, 1, 2]), np.array([2, 1, 2]))
    assert told["genus"] == {"images": 2, "taxa": 2, "top1": 0.5, "macro_f1": 0.5}
    assert "phylum" not in told  # all are arthropods: nothing to tell apart


def test_no_answer_and_names_that_nobody_knows() -> None:
    assert by_rank(["t001", "t002"], ["t001", "t002"], np.array([0, 1]), np.array([0, 1])) == {}
    told = by_rank(["Calanus", "Beroe"], ["Calanus", "Beroe"], np.array([0, 1]), np.array([-1, 1]))
    assert told["phylum"]["top1"] == 0.5
