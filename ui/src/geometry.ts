// Plane geometry of the map: polygons drawn by hand, boxes, ticks.

import type { Extent, Point } from "./types.ts";

/** Even-odd rule, the same as the server's. */
export function insidePolygon(x: number, y: number, polygon: readonly Point[]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i];
    const [bx, by] = polygon[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

export function bounds(polygon: readonly Point[]): Extent {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of polygon) {
    x0 = Math.min(x0, x);
    y0 = Math.min(y0, y);
    x1 = Math.max(x1, x);
    y1 = Math.max(y1, y);
  }
  return [x0, y0, x1, y1];
}

export function box(a: Point, b: Point): Point[] {
  return [a, [b[0], a[1]], b, [a[0], b[1]]];
}

/** Ramer–Douglas–Peucker: the stroke with no vertex farther than `tolerance` from the original. */
export function simplify(stroke: readonly Point[], tolerance: number): Point[] {
  if (stroke.length < 3) return stroke.slice();
  const keep = new Uint8Array(stroke.length);
  keep[0] = keep[stroke.length - 1] = 1;
  const spans: [number, number][] = [[0, stroke.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [first, last] = span;
    const [at, far] = farthest(stroke, first, last);
    if (far <= tolerance) continue;
    keep[at] = 1;
    spans.push([first, at], [at, last]);
  }
  return stroke.filter((_, i) => keep[i]);
}

/** As `simplify`, with the tolerance doubled until at most `most` vertices are left. */
export function simplifyTo(stroke: readonly Point[], tolerance: number, most: number): Point[] {
  let out = simplify(stroke, tolerance);
  for (let t = tolerance * 2; out.length > most; t *= 2) out = simplify(stroke, t);
  return out;
}

function farthest(stroke: readonly Point[], first: number, last: number): [number, number] {
  let [at, far] = [first, 0];
  for (let i = first + 1; i < last; i++) {
    const d = distanceToSegment(stroke[i], stroke[first], stroke[last]);
    if (d > far) [at, far] = [i, d];
  }
  return [at, far];
}

export function distanceToSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy;
  const t = length2 ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length2)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** The largest of 1, 2, 5 × 10ⁿ that is not above `value`. */
export function roundDown125(value: number): number {
  const ten = 10 ** Math.floor(Math.log10(value) + 1e-12);
  const lead = value / ten;
  return (lead >= 5 - 1e-9 ? 5 : lead >= 2 - 1e-9 ? 2 : 1) * ten;
}
