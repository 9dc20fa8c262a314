// Scale bars and contrast of one image.

import { length } from "./format.ts";
import { roundDown125 } from "./geometry.ts";

export interface ScaleBar {
  um: number;
  /** Length on screen. */
  px: number;
  text: string;
}

/** The longest bar of 1, 2 or 5 × 10ⁿ that is not longer than `most` pixels. */
export function scaleBar(umPerPx: number, most: number): ScaleBar | null {
  if (!(umPerPx > 0) || !(most > 0)) return null;
  const um = roundDown125(umPerPx * most);
  return { um, px: um / umPerPx, text: length(um) };
}

export interface Tone {
  brightness: number;
  contrast: number;
  invert: boolean;
}

export const NEUTRAL: Tone = { brightness: 1, contrast: 1, invert: false };

/** The CSS filter of a tone: brightness first, then contrast about middle grey. */
export function toneFilter(tone: Tone): string {
  const parts = [];
  if (tone.brightness !== 1) parts.push(`brightness(${tone.brightness.toFixed(3)})`);
  if (tone.contrast !== 1) parts.push(`contrast(${tone.contrast.toFixed(3)})`);
  if (tone.invert) parts.push("invert(1)");
  return parts.join(" ") || "none";
}

/** The tone that maps grey `low` to black and `high` to white (both 0…1). */
export function stretch(low: number, high: number): { brightness: number; contrast: number } {
  const slope = 1 / Math.max(high - low, 0.02);
  const contrast = 1 + 2 * low * slope;
  return { brightness: slope / contrast, contrast };
}

/** Grey values (0…1) below and above which lie `tail` of the pixels. */
export function percentiles(rgba: Uint8ClampedArray, tail = 0.005): [number, number] {
  const bins = new Uint32Array(256);
  for (let i = 0; i < rgba.length; i += 4) bins[Math.round((rgba[i] + rgba[i + 1] + rgba[i + 2]) / 3)]++;
  const wanted = (rgba.length / 4) * tail;
  let [low, high] = [0, 255];
  for (let sum = bins[0]; low < 255 && sum <= wanted; sum += bins[low]) low++;
  for (let sum = bins[255]; high > 0 && sum <= wanted; sum += bins[high]) high--;
  return [low / 255, Math.max(high, low) / 255];
}
