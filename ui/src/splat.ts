// The point renderer: discs written straight into canvas memory. No GPU is needed, and a frame costs what is on screen.

import type { Points } from "./points.ts";
import type { Extent } from "./types.ts";
import type { Size, View } from "./view.ts";

/** How each point stands: behind the others, as it is, or picked out with a ring. */
export const DIM = 0;
export const PLAIN = 1;
export const RING = 2;

export interface Frame {
  pixels: Uint32Array;
  width: number;
  height: number;
}

/** Screen (device pixels) = offset + step × 16-bit coordinate. */
export interface Placement {
  ax: number;
  bx: number;
  ay: number;
  by: number;
}

export function placement(view: View, size: Size, extent: Extent, ratio: number): Placement {
  const [x0, y0, x1, y1] = extent;
  return {
    ax: ((x0 - view.x) * view.scale + size.width / 2) * ratio,
    bx: (((x1 - x0) / 65535) * view.scale) * ratio,
    ay: (size.height / 2 - (y0 - view.y) * view.scale) * ratio,
    by: -(((y1 - y0) / 65535) * view.scale) * ratio,
  };
}

/**
 * Radius in CSS pixels: points on `ground` CSS pixels of map that hold any are drawn small where they are many, and all
 * grow as one zooms in.
 */
export function radius(n: number, ground: number, zoom: number): number {
  const fits = Math.sqrt((1.1 * Math.max(1, ground)) / (Math.PI * Math.max(1, n)));
  const least = Math.max(0.6, Math.min(2.2, 2.2 - 0.75 * Math.log10(Math.max(1, n) / 2000)));
  const home = Math.max(least, Math.min(4.2, fits));
  return Math.min(home * Math.max(1, zoom) ** 0.38, Math.max(home, 7));
}

export interface Style {
  /** Device pixels. */
  radius: number;
  /** Colour word of each value code. */
  colours: Uint32Array;
  /** Drawn around each disc (0 = no rim). */
  rim: number;
  rimWidth: number;
}

/** Draws the points that stand as `standing` says, in their order. Returns how many were on screen. */
export function splat(frame: Frame, points: Points, state: Uint8Array | null, standing: number, place: Placement, style: Style): number {
  if (style.radius < 1.1 && !style.rim) return squares(frame, points, state, standing, place, style);
  const disc = stamps(style.radius);
  const rim = style.rim ? stamps(style.radius + style.rimWidth) : null;
  const { x, y, value, n } = points;
  const margin = style.radius + style.rimWidth + 1;
  let drawn = 0;
  for (let i = 0; i < n; i++) {
    if (state && state[i] !== standing) continue;
    const px = place.ax + place.bx * x[i];
    const py = place.ay + place.by * y[i];
    if (px < -margin || py < -margin || px > frame.width + margin || py > frame.height + margin) continue;
    if (rim) stamp(frame, rim, px, py, style.rim);
    stamp(frame, disc, px, py, style.colours[value[i]]);
    drawn++;
  }
  return drawn;
}

function squares(frame: Frame, points: Points, state: Uint8Array | null, standing: number, place: Placement, style: Style): number {
  const { pixels, width, height } = frame;
  const { x, y, value, n } = points;
  const two = style.radius >= 0.8;
  const [w, h] = [width - 1, height - 1];
  let drawn = 0;
  for (let i = 0; i < n; i++) {
    if (state && state[i] !== standing) continue;
    const px = (place.ax + place.bx * x[i]) | 0;
    const py = (place.ay + place.by * y[i]) | 0;
    if (px < 0 || py < 0 || px >= w || py >= h) continue;
    const at = py * width + px;
    const colour = style.colours[value[i]];
    pixels[at] = colour;
    if (two) pixels[at + 1] = pixels[at + width] = pixels[at + width + 1] = colour;
    drawn++;
  }
  return drawn;
}

const PHASES = 4;

interface Stamps {
  side: number;
  reach: number;
  /** Coverage 0…256 of each pixel, one disc for each of 4 × 4 positions within a pixel. */
  alpha: Uint16Array;
}

let cache = new Map<number, Stamps>();

function stamps(r: number): Stamps {
  const key = Math.round(r * 20);
  let made = cache.get(key);
  if (!made) {
    if (cache.size > 64) cache = new Map();
    cache.set(key, (made = makeStamps(key / 20)));
  }
  return made;
}

export function makeStamps(r: number): Stamps {
  const reach = Math.ceil(r + 0.5);
  const side = 2 * reach + 1;
  const alpha = new Uint16Array(PHASES * PHASES * side * side);
  let at = 0;
  for (let phase = 0; phase < PHASES * PHASES; phase++) {
    const [fx, fy] = [((phase % PHASES) + 0.5) / PHASES - 0.5, (Math.floor(phase / PHASES) + 0.5) / PHASES - 0.5];
    for (let v = -reach; v <= reach; v++)
      for (let u = -reach; u <= reach; u++)
        alpha[at++] = Math.round(256 * Math.max(0, Math.min(1, r + 0.5 - Math.hypot(u - fx, v - fy))));
  }
  return { side, reach, alpha };
}

function stamp(frame: Frame, { side, reach, alpha }: Stamps, px: number, py: number, colour: number): void {
  const { pixels, width, height } = frame;
  const [cx, cy] = [Math.floor(px), Math.floor(py)];
  const phase = (((py - cy) * PHASES) | 0) * PHASES + (((px - cx) * PHASES) | 0);
  const u0 = Math.max(0, reach - cx);
  const u1 = Math.min(side, width - cx + reach);
  const v1 = Math.min(side, height - cy + reach);
  const rb = colour & 0xff00ff;
  const g = colour & 0x00ff00;
  for (let v = Math.max(0, reach - cy); v < v1; v++) {
    let from = (phase * side + v) * side + u0;
    let to = (cy - reach + v) * width + cx - reach + u0;
    for (let u = u0; u < u1; u++, from++, to++) {
      const a = alpha[from];
      if (a === 0) continue;
      if (a === 256) {
        pixels[to] = colour;
        continue;
      }
      const under = pixels[to];
      const b = 256 - a;
      const mixedRb = ((Math.imul(rb, a) + Math.imul(under & 0xff00ff, b)) >>> 8) & 0xff00ff;
      const mixedG = ((Math.imul(g, a) + Math.imul(under & 0x00ff00, b)) >>> 8) & 0x00ff00;
      pixels[to] = 0xff000000 | mixedRb | mixedG;
    }
  }
}
