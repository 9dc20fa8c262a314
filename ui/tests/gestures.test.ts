import assert from "node:assert/strict";
import { test } from "node:test";

import { encloses } from "../src/gestures.ts";

test("a straight drag is a box, but no lasso", () => {
  assert.equal(encloses([[0, 0], [10, 10], [30, 30]], true), true);
  assert.equal(encloses([[0, 0], [10, 10], [30, 30]], false), false);
  assert.equal(encloses([[0, 0], [30, 0], [30, 30]], false), true);
});

test("a slip of the hand selects nothing", () => {
  assert.equal(encloses([], true), false);
  assert.equal(encloses([[5, 5]], false), false);
  assert.equal(encloses([[0, 0], [2, 1], [0, 2]], false), false);
  assert.equal(encloses([[0, 0], [300, 2]], true), false);
});
