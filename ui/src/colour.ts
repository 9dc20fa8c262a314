// Colours: a palette told apart by colour-blind readers, and ramps of even lightness steps, both built in OKLab
// (Björn Ottosson, "A perceptual color space for image processing", 2020).

export type Rgb = [red: number, green: number, blue: number];
export type Theme = "light" | "dark";

/**
 * Ten hues, found by search: lightness and hue such that each two of the first ones stay apart also for readers without
 * red or green cones (simulation of Machado et al. 2009; tests/colour.test.ts measures it). Each theme has its own.
 */
const LIGHT = ["#0f4fb0", "#e2691b", "#0b9a8a", "#8e1560", "#66690f", "#a873de", "#2a7c97", "#c9405f", "#7d9a4b", "#b0694e"];
const DARK = ["#4d8fec", "#ffb32e", "#1fd6a4", "#d8509c", "#8f8c14", "#cbb2ff", "#9be7f7", "#f2857c", "#b3d17a", "#bd7c5c"];

/** Colours given out before the rest is grey: the ten hues, then the same ten lighter. */
export const N_COLOURS = 20;

export function categorical(rank: number, theme: Theme): Rgb {
  const hues = theme === "light" ? LIGHT : DARK;
  const rgb = parse(hues[rank % hues.length]);
  if (rank < hues.length) return rgb;
  return mix(rgb, theme === "light" ? [255, 255, 255] : [12, 18, 24], 0.42);
}

export const OTHER: Record<Theme, Rgb> = { light: [172, 181, 190], dark: [88, 101, 113] };
/** What the map is drawn on. */
export const GROUND: Record<Theme, Rgb> = { light: [252, 253, 253], dark: [12, 17, 22] };
export const MISSING: Record<Theme, Rgb> = { light: [197, 204, 211], dark: [62, 73, 83] };

/** Even steps of lightness from 0 to 1, towards what stands out more: dark on light ground, bright on dark. */
export function continuous(t: number, theme: Theme): Rgb {
  const s = Math.max(0, Math.min(1, t));
  const hue = ((theme === "light" ? 165 + 130 * s : 285 - 190 * s) * Math.PI) / 180;
  const lightness = theme === "light" ? 0.83 - 0.53 * s : 0.48 + 0.44 * s;
  let chroma = 0.085 + 0.075 * Math.sin(Math.PI * Math.min(1, s * 0.85 + 0.1));
  while (chroma > 0.01 && !isShown(linear(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)))) chroma -= 0.004;
  return oklabToRgb(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue));
}

function isShown(rgb: number[]): boolean {
  return rgb.every((c) => c >= 0 && c <= 1);
}

export function parse(hex: string): Rgb {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

export function mix(a: Rgb, b: Rgb, t: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(a[i] + (b[i] - a[i]) * t)) as Rgb;
}

export function css([r, g, b]: Rgb, alpha = 1): string {
  return alpha === 1 ? `rgb(${r},${g},${b})` : `rgba(${r},${g},${b},${alpha})`;
}

/** As one word of little-endian canvas memory (ABGR). */
export function word([r, g, b]: Rgb): number {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

export function rgbToOklab(rgb: Rgb): [number, number, number] {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function linear(lightness: number, a: number, b: number): number[] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

export function oklabToRgb(lightness: number, a: number, b: number): Rgb {
  return linear(lightness, a, b).map((c) => {
    const v = c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055;
    return Math.max(0, Math.min(255, Math.round(v * 255)));
  }) as Rgb;
}

/** WCAG 2 contrast ratio of two colours. */
export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
