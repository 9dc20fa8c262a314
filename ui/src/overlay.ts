// What lies over the points: pictures, the region drawn, rings, cluster names.

import { bins, palette, placeOf, points, standing } from "./cloud.ts";
import { css, GROUND } from "./colour.ts";
import { count, words } from "./format.ts";
import { placeNames, type Name } from "./labels.ts";
import type { Hovered } from "./mapview.ts";
import { rowNumber } from "./rows.ts";
import { DIM, placement, type Placement } from "./splat.ts";
import { crowded, spread } from "./spread.ts";
import { allImages, filters, item, meta, polygon, showNames, similar, theme } from "./state.ts";
import { thumbOf, want, type Thumb } from "./thumbs.ts";
import type { Cluster, Point } from "./types.ts";
import { toScreen, visible, type Size, type View } from "./view.ts";

export interface Overlay {
  view: View;
  size: Size;
  ratio: number;
  /** Radius of a point, CSS pixels. */
  dot: number;
  zoom: number;
  stroke: Point[] | null;
  hovered: Hovered | null;
  /** Rows to ring: the open item and the ones asked about. */
  rings: number[];
}

const MOST_PICTURES = 320;
/** Pixels of map for each name at most. */
const AREA_PER_NAME = 21_000;
const INK = { light: "rgb(24,34,44)", dark: "rgb(236,242,247)" };
const ACCENT = { light: "rgb(0,103,138)", dark: "rgb(98,200,232)" };

export function drawOverlay(canvas: HTMLCanvasElement, now: Overlay): void {
  const pen = canvas.getContext("2d")!;
  pen.setTransform(now.ratio, 0, 0, now.ratio, 0, 0);
  pen.clearRect(0, 0, now.size.width, now.size.height);
  const pictures = drawPictures(pen, now);
  const region = polygon.peek();
  if (region) outline(pen, region.map((p) => toScreen(now.view, now.size, p)), true);
  if (now.stroke) outline(pen, now.stroke, false);
  for (const row of now.rings) ring(pen, now, row, ACCENT[theme.peek()], 2.5);
  if (now.hovered?.row !== undefined) ring(pen, now, now.hovered.row, INK[theme.peek()], 2);
  drawNames(pen, now, pictures);
}

function outline(pen: CanvasRenderingContext2D, shape: Point[], closed: boolean): void {
  pen.beginPath();
  shape.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
  pen.fillStyle = theme.peek() === "light" ? "rgba(0,103,138,0.06)" : "rgba(98,200,232,0.08)";
  pen.fill();
  pen.setLineDash(closed ? [] : [5, 4]);
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  pen.strokeStyle = ACCENT[theme.peek()];
  pen.stroke();
  pen.setLineDash([]);
}

function placeOnScreen(now: Overlay): Placement {
  return placement(now.view, now.size, meta.peek()!.extent, 1);
}

function ring(pen: CanvasRenderingContext2D, now: Overlay, row: number, colour: string, width: number): void {
  const i = placeOf(row);
  if (i < 0) return;
  const place = placeOnScreen(now);
  const [x, y] = [place.ax + place.bx * points.peek().x[i], place.ay + place.by * points.peek().y[i]];
  pen.beginPath();
  pen.arc(x, y, Math.max(now.dot, 2.5) + 3.5, 0, 2 * Math.PI);
  pen.lineWidth = width + 2;
  pen.strokeStyle = css(GROUND[theme.peek()]);
  pen.stroke();
  pen.lineWidth = width;
  pen.strokeStyle = colour;
  pen.stroke();
}

// ---- pictures ----------------------------------------------------------------------------------------------------------
/** Pictures stand at their points where one is so near that they find room, or everywhere on request. */
function drawPictures(pen: CanvasRenderingContext2D, now: Overlay): boolean {
  const cloud = points.peek();
  const place = placeOnScreen(now);
  const [x0, x1] = [-place.ax / place.bx, (now.size.width - place.ax) / place.bx];
  const [y0, y1] = [(now.size.height - place.ay) / place.by, -place.ay / place.by];
  const box = pictureSize(now);
  const [w, h] = [(box + 6) / place.bx, (box + 6) / -place.by];
  const room = (now.size.width * now.size.height) / (box * box);
  if (!cloud.n || (!allImages.peek() && crowded(cloud, bins.value, x0, y0, x1, y1, room * 0.9))) return false;
  const state = standing.peek();
  const shown = spread(cloud, bins.value, x0 - w, y0 - h, x1 + w, y1 + h, w, h, MOST_PICTURES, (i) => !state || state[i] !== DIM);
  want(shown.map((i) => cloud.index[i]));
  for (const i of shown) {
    const thumb = thumbOf(cloud.index[i]);
    if (thumb) drawThumb(pen, thumb, place.ax + place.bx * cloud.x[i], place.ay + place.by * cloud.y[i], box, css(palette.peek()[cloud.value[i]]));
  }
  return true;
}

/** Edge of a picture: it depends on the zoom alone, so that nothing jumps while one moves. */
function pictureSize(now: Overlay): number {
  const least = Math.max(40, Math.min(96, now.size.width / 18));
  return Math.round(least * Math.max(1, Math.min(2, 1 + Math.log2(now.zoom / 24) / 4)));
}

function drawThumb(pen: CanvasRenderingContext2D, thumb: Thumb, x: number, y: number, box: number, colour: string): void {
  const grow = Math.min(2, (box - 4) / Math.max(thumb.width, thumb.height));
  const [w, h] = [Math.max(8, Math.round(thumb.width * grow)), Math.max(8, Math.round(thumb.height * grow))];
  const [left, top] = [Math.round(x - w / 2), Math.round(y - h / 2)];
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(left - 2, top - 2, w + 4, h + 4, 3);
  pen.fill();
  pen.drawImage(thumb.sheet, thumb.x, thumb.y, thumb.width, thumb.height, left, top, w, h);
}

// ---- names -------------------------------------------------------------------------------------------------------------
let shownNames: { cluster: Cluster; left: number; top: number; name: Name }[] = [];

/** The cluster whose name is at a place on screen, as last drawn. */
export function nameAt([x, y]: Point): Cluster | undefined {
  return shownNames.find((s) => x >= s.left && x <= s.left + s.name.width && y >= s.top && y <= s.top + s.name.height)?.cluster;
}

function drawNames(pen: CanvasRenderingContext2D, now: Overlay, pictures: boolean): void {
  shownNames = [];
  if (!showNames.peek() || now.stroke) return;
  const em = Math.max(11.5, Math.min(18, now.size.width / 70));
  pen.font = `600 ${em}px -apple-system, "Segoe UI", Inter, Roboto, "Noto Sans", "Liberation Sans", Arial, system-ui, sans-serif`;
  pen.textBaseline = "middle";
  const [x0, y0, x1, y1] = visible(now.view, now.size);
  const clusters = meta.peek()!.clusters.filter((c) => c.x >= x0 && c.x <= x1 && c.y >= y0 && c.y <= y1 && c.label);
  clusters.sort((a, b) => b.n - a.n || a.id - b.id);
  clusters.splice(Math.ceil((now.size.width * now.size.height) / AREA_PER_NAME));
  const names = clusters.map((cluster): Name => {
    const [x, y] = toScreen(now.view, now.size, [cluster.x, cluster.y]);
    return { x, y: pictures ? y - pictureSize(now) / 2 : y, width: pen.measureText(words(cluster.label)).width + 10, height: em + 8 };
  });
  shownNames = placeNames(names, now.size.width, now.size.height, 6).map(({ at, left, top }) => ({ cluster: clusters[at], left, top, name: names[at] }));
  const faint = Object.keys(filters.peek()).length > 0 || similar.peek() !== null;
  for (const { cluster, left, top, name } of shownNames) {
    const hot = now.hovered?.cluster === cluster;
    if (pictures) plate(pen, left, top + 2, name.width, name.height - 4);
    write(pen, words(cluster.label), left + 5, top + name.height / 2, hot ? 1 : faint ? 0.75 : 0.92, hot);
  }
}

/** Behind a name that stands over pictures. */
function plate(pen: CanvasRenderingContext2D, left: number, top: number, width: number, height: number): void {
  pen.fillStyle = css(GROUND[theme.peek()], 0.86);
  pen.beginPath();
  pen.roundRect(left, top, width, height, 4);
  pen.fill();
}

function write(pen: CanvasRenderingContext2D, text: string, x: number, y: number, strength: number, hot: boolean): void {
  pen.globalAlpha = strength;
  pen.lineJoin = "round";
  pen.lineWidth = 4;
  pen.strokeStyle = css(GROUND[theme.peek()], 0.88);
  pen.strokeText(text, x, y);
  pen.fillStyle = hot ? ACCENT[theme.peek()] : INK[theme.peek()];
  pen.fillText(text, x, y);
  pen.globalAlpha = 1;
}

export function clusterNote(cluster: Cluster): string {
  return `${words(cluster.label)} · ${count(cluster.n)} images`;
}

/** Rows that stand out: the open item and the images others are compared with. */
export function ringed(): number[] {
  const uids = [...(item.peek() ? [item.peek() as string] : []), ...(similar.peek() ?? [])];
  return uids.flatMap((uid) => rowNumber(uid) ?? []);
}
