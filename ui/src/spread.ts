// Which of the points in view show their picture: a choice without overlaps that does not flicker as one moves.

import { atMost, forEachIn, type Bins } from "./hit.ts";
import type { Points } from "./points.ts";

/**
 * Points whose boxes (`w` × `h`, 16-bit units) do not touch, those with a value first, at most `most`.
 *
 * `x0 … y1`: the rectangle in view. `accept` leaves out points, for example those outside a selection.
 */
export function spread(
  points: Points, bins: Bins, x0: number, y0: number, x1: number, y1: number, w: number, h: number, most: number,
  accept: (i: number) => boolean,
): number[] {
  const inView: number[] = [];
  forEachIn(points, bins, x0, y0, x1, y1, (i) => {
    if (accept(i)) inView.push(i);
  });
  inView.sort((a, b) => Number(points.value[a] === 0) - Number(points.value[b] === 0) || a - b);
  const taken = new Map<number, number[]>();
  const out: number[] = [];
  for (const i of inView) {
    const [cx, cy] = [Math.floor(points.x[i] / w), Math.floor(points.y[i] / h)];
    if (touches(points, taken, i, cx, cy, w, h)) continue;
    const key = cy * 1e6 + cx;
    taken.set(key, [...(taken.get(key) ?? []), i]);
    out.push(i);
    if (out.length >= most) break;
  }
  return out;
}

function touches(points: Points, taken: Map<number, number[]>, i: number, cx: number, cy: number, w: number, h: number): boolean {
  for (let v = cy - 1; v <= cy + 1; v++)
    for (let u = cx - 1; u <= cx + 1; u++)
      for (const j of taken.get(v * 1e6 + u) ?? [])
        if (Math.abs(points.x[i] - points.x[j]) < w && Math.abs(points.y[i] - points.y[j]) < h) return true;
  return false;
}

/** Whether there are more than `most` points in the rectangle. */
export function crowded(points: Points, bins: Bins, x0: number, y0: number, x1: number, y1: number, most: number): boolean {
  if (most <= 0 || atMost(bins, x0, y0, x1, y1) > 64 * most) return true;
  let n = 0;
  forEachIn(points, bins, x0, y0, x1, y1, () => n++);
  return n > most;
}
