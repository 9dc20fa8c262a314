// The view of the map: where its centre is and how many pixels a unit of data takes. y points up in data, down on screen.

import type { Extent, Point } from "./types.ts";

export interface View {
  x: number;
  y: number;
  /** CSS pixels per data unit. */
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Zoom range relative to the view that shows everything. */
export const ZOOM: [number, number] = [0.5, 4096];

export function fit(extent: Extent, size: Size, margin = 24): View {
  const [x0, y0, x1, y1] = extent;
  const across = Math.max(1, size.width - 2 * margin) / Math.max(1e-9, x1 - x0);
  const down = Math.max(1, size.height - 2 * margin) / Math.max(1e-9, y1 - y0);
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.min(across, down) };
}

export function toScreen(view: View, size: Size, [x, y]: Point): Point {
  return [(x - view.x) * view.scale + size.width / 2, size.height / 2 - (y - view.y) * view.scale];
}

export function toData(view: View, size: Size, [px, py]: Point): Point {
  return [view.x + (px - size.width / 2) / view.scale, view.y + (size.height / 2 - py) / view.scale];
}

export function pan(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.scale, y: view.y + dy / view.scale };
}

/** Zoom by `factor` so that the data under screen point `at` stays there. */
export function zoomAt(view: View, size: Size, at: Point, factor: number, home: View): View {
  const scale = clamp(view.scale * factor, home.scale * ZOOM[0], home.scale * ZOOM[1]);
  const [x, y] = toData(view, size, at);
  return {
    x: x - (at[0] - size.width / 2) / scale,
    y: y - (size.height / 2 - at[1]) / scale,
    scale,
  };
}

/** The rectangle of data in view, as asked from the server. */
export function visible(view: View, size: Size): Extent {
  const [w, h] = [size.width / 2 / view.scale, size.height / 2 / view.scale];
  return [view.x - w, view.y - h, view.x + w, view.y + h];
}

/** The way between two views: zoom runs in equal ratios. */
export function between(a: View, b: View, t: number): View {
  const scale = a.scale * (b.scale / a.scale) ** t;
  const s = Math.abs(b.scale - a.scale) < 1e-9 * a.scale ? t : (1 / a.scale - 1 / scale) / (1 / a.scale - 1 / b.scale);
  return { x: a.x + (b.x - a.x) * s, y: a.y + (b.y - a.y) * s, scale };
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
