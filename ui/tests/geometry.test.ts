import assert from "node:assert/strict";
import { test } from "node:test";

import { box, bounds, distanceToSegment, insidePolygon, roundDown125, simplify, simplifyTo } from "../src/geometry.ts";
import type { Point } from "../src/types.ts";

const ring = (n: number, r = 1): Point[] => Array.from({ length: n }, (_, i) => [r * Math.cos((2 * Math.PI * i) / n), r * Math.sin((2 * Math.PI * i) / n)]);

test("a point is inside a ring exactly if it is nearer than the radius", () => {
  const shape = ring(720);
  for (let i = 0; i < 2000; i++) {
    const [x, y] = [Math.sin(i * 12.9898) * 1.5, Math.sin(i * 78.233) * 1.5];
    const d = Math.hypot(x, y);
    if (Math.abs(d - 1) > 1e-3) assert.equal(insidePolygon(x, y, shape), d < 1, `${x} ${y}`);
  }
});

test("a self-crossing lasso follows the even-odd rule", () => {
  const bow: Point[] = [[0, 0], [2, 2], [2, 0], [0, 2]];
  assert.equal(insidePolygon(0.3, 1, bow), true);
  assert.equal(insidePolygon(1.7, 1, bow), true);
  assert.equal(insidePolygon(1, 0.3, bow), false);
});

test("a box has four corners and their bounds", () => {
  assert.deepEqual(box([1, 5], [4, 2]), [[1, 5], [4, 5], [4, 2], [1, 2]]);
  assert.deepEqual(bounds(box([1, 5], [4, 2])), [1, 2, 4, 5]);
});

test("a simplified stroke keeps its ends and stays within the tolerance", () => {
  const stroke: Point[] = Array.from({ length: 300 }, (_, i) => [i, 20 * Math.sin(i / 20)]);
  const thin = simplify(stroke, 1);
  assert.ok(thin.length < 60 && thin.length > 10, String(thin.length));
  assert.deepEqual([thin[0], thin[thin.length - 1]], [stroke[0], stroke[299]]);
  for (const p of stroke) {
    const near = Math.min(...thin.slice(1).map((q, i) => distanceToSegment(p, thin[i], q)));
    assert.ok(near <= 1 + 1e-9);
  }
});

test("a stroke is thinned until it has no more vertices than the server takes", () => {
  const wild: Point[] = Array.from({ length: 3000 }, (_, i) => [i, (i * 7919) % 97]);
  assert.ok(simplifyTo(wild, 1, 120).length <= 120);
  assert.ok(simplifyTo(ring(400, 200), 1, 120).length > 12);
});

test("scale bars are 1, 2 or 5 times a power of ten, as long as fits", () => {
  for (const [value, round] of [[1, 1], [1.99, 1], [2, 2], [4.9, 2], [5, 5], [9.9, 5], [10, 10], [0.034, 0.02], [730, 500]])
    assert.ok(Math.abs(roundDown125(value) - round) < 1e-9 * round, `${value}`);
});
