// The map of the embedding: camera, frames, and what a click or a stroke means.

import { batch, effect, signal } from "@preact/signals";

import { bins, colourWords, covered, dimWords, ghosts, lookAt, placeOf, points, standing } from "./cloud.ts";
import { GROUND, mix, OTHER, word } from "./colour.ts";
import { toggle } from "./filters.ts";
import { box, simplifyTo } from "./geometry.ts";
import { encloses, listen } from "./gestures.ts";
import { nearest } from "./hit.ts";
import { drawOverlay, nameAt, ringed, type Overlay } from "./overlay.ts";
import { DIM, placement, PLAIN, radius, RING, splat, type Frame, type Placement, type Style } from "./splat.ts";
import { rowsArrived } from "./rows.ts";
import { allImages, alike, filters, item, meta, pick, picks, polygon, showNames, similar, theme, tool, view } from "./state.ts";
import { arrived, brief } from "./thumbs.ts";
import type { Cluster, Point } from "./types.ts";
import { between, clamp, fit, pan, toData, visible, zoomAt, type Size, type View } from "./view.ts";

export interface Hovered {
  at: Point;
  /** Row of the point, or the cluster whose name is under the cursor. */
  row?: number;
  cluster?: Cluster;
}

export const hovered = signal<Hovered | null>(null);
/** Milliseconds the last frame took, and frames drawn: read by tests. */
export const frames = { drawn: 0, ms: 0 };

/** Height of the page's letters in pixels: all grows with it on large screens. */
function rem(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

export class MapView {
  private size: Size = { width: 1, height: 1 };
  private ratio = 1;
  private frame: Frame = { pixels: new Uint32Array(1), width: 1, height: 1 };
  private image: ImageData | null = null;
  private stroke: Point[] | null = null;
  private queued = 0;
  private settle = 0;
  private moving = 0;
  private readonly stops: (() => void)[] = [];

  constructor(private readonly element: HTMLElement, private readonly base: HTMLCanvasElement, private readonly over: HTMLCanvasElement) {
    const watch = new ResizeObserver(() => this.resize());
    watch.observe(element);
    this.stops.push(() => watch.disconnect(), listen(element, this), effect(() => this.subscribe()));
    this.resize();
  }

  stop(): void {
    this.stops.forEach((stop) => stop());
    cancelAnimationFrame(this.queued);
  }

  /** Everything a frame depends on: a change of any asks for a new one. */
  private subscribe(): void {
    for (const s of [points, ghosts, standing, colourWords, theme, view, polygon, meta, arrived, allImages, item, picks, similar, alike, hovered, showNames, rowsArrived]) void s.value;
    this.redraw();
  }

  private resize(): void {
    this.size = { width: this.element.clientWidth, height: this.element.clientHeight };
    this.ratio = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [Math.max(1, Math.round(this.size.width * this.ratio)), Math.max(1, Math.round(this.size.height * this.ratio))];
    for (const canvas of [this.base, this.over]) [canvas.width, canvas.height] = [width, height];
    this.image = new ImageData(width, height);
    this.frame = { pixels: new Uint32Array(this.image.data.buffer), width, height };
    this.paint();
  }

  private get whole(): View {
    return fit(meta.peek()?.extent ?? [0, 0, 1, 1], this.size);
  }

  private get camera(): View {
    return view.peek() ?? this.whole;
  }

  private look(next: View): void {
    view.value = next;
    clearTimeout(this.settle);
    this.settle = window.setTimeout(() => lookAt(visible(this.camera, this.size)), 150);
  }

  redraw(): void {
    if (!this.queued) this.queued = requestAnimationFrame(() => this.paint());
  }

  // ---- drawing ---------------------------------------------------------------------------------------------------------
  private paint(): void {
    const begun = performance.now();
    cancelAnimationFrame(this.queued);
    this.queued = 0;
    const read = meta.peek();
    this.frame.pixels.fill(word(GROUND[theme.peek()]));
    if (read) {
      const place = placement(this.camera, this.size, read.extent, this.ratio);
      this.drawPoints(place);
      this.base.getContext("2d")!.putImageData(this.image!, 0, 0);
      drawOverlay(this.over, this.overlay());
    } else this.base.getContext("2d")!.putImageData(this.image!, 0, 0);
    frames.ms = performance.now() - begun;
    frames.drawn++;
  }

  /** Radius of a point now, in CSS pixels. */
  private get dot(): number {
    const [x0, y0, x1, y1] = meta.peek()?.extent ?? [0, 0, 1, 1];
    const ground = covered.peek() * (x1 - x0) * (y1 - y0) * this.whole.scale ** 2;
    const unit = rem() / 16;
    return unit * radius(meta.peek()?.n ?? 1, ground / unit ** 2, this.camera.scale / this.whole.scale);
  }

  private drawPoints(place: Placement): void {
    const now = theme.peek();
    const state = standing.peek();
    const r = this.dot * this.ratio;
    const ground = word(GROUND[now]);
    const style: Style = { radius: r, colours: colourWords.peek(), rim: r >= 2.4 * this.ratio ? ground : 0, rimWidth: 0.75 * this.ratio };
    const cloud = points.peek();
    const behind = ghosts.peek();
    if (behind && Object.keys(filters.peek()).length) {
      const grey = new Uint32Array(256).fill(word(mix(OTHER[now], GROUND[now], now === "light" ? 0.72 : 0.76)));
      splat(this.frame, behind, null, DIM, place, { ...style, radius: Math.max(0.6, r * 0.7), colours: grey, rim: 0 });
    }
    if (!state) return void splat(this.frame, cloud, null, PLAIN, place, style);
    splat(this.frame, cloud, state, DIM, place, { ...style, radius: Math.max(0.6, r * 0.85), colours: dimWords.peek(), rim: 0 });
    splat(this.frame, cloud, state, PLAIN, place, { ...style, radius: Math.max(r, Math.min(r * 1.5, 2.6 * this.ratio)) });
    const ink = word(now === "light" ? [16, 24, 32] : [255, 255, 255]);
    splat(this.frame, cloud, state, RING, place, { ...style, radius: Math.max(r, 3 * this.ratio), rim: ink, rimWidth: 2 * this.ratio });
  }

  private overlay(): Overlay {
    const shape = this.stroke && tool.peek() === "box" ? box(this.stroke[0], this.stroke[this.stroke.length - 1]) : this.stroke;
    return { view: this.camera, size: this.size, ratio: this.ratio, dot: this.dot, stroke: shape, rings: ringed(), hovered: hovered.peek(), zoom: this.camera.scale / this.whole.scale };
  }

  // ---- moves -----------------------------------------------------------------------------------------------------------
  pan(dx: number, dy: number): void {
    this.moving++;
    this.look(pan(this.camera, dx, dy));
  }

  zoom(at: Point, factor: number): void {
    this.moving++;
    this.look(zoomAt(this.camera, this.size, at, factor, this.whole));
  }

  zoomMiddle(factor: number): void {
    const from = this.camera;
    this.glide(zoomAt(from, this.size, [this.size.width / 2, this.size.height / 2], factor, this.whole));
  }

  home(): void {
    this.glide(this.whole, () => (view.value = null));
  }

  /** Moves there in a quarter of a second, or at once for who wants no motion. */
  private glide(to: View, then?: () => void): void {
    const from = this.camera;
    const mine = ++this.moving;
    const begun = performance.now();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const tick = (now: number) => {
      if (this.moving !== mine) return;
      const t = still ? 1 : clamp((now - begun) / 260, 0, 1);
      this.look(between(from, to, t * (2 - t)));
      if (t < 1) requestAnimationFrame(tick);
      else then?.();
    };
    requestAnimationFrame(tick);
  }

  /** Brings the point of a row into view, if it is not. */
  reveal(x: number, y: number): void {
    const [x0, y0, x1, y1] = visible(this.camera, this.size);
    if (x < x0 || x > x1 || y < y0 || y > y1) this.glide({ ...this.camera, x, y });
  }

  drawing(shift: boolean): boolean {
    return shift || tool.peek() !== "pan";
  }

  draw(stroke: Point[], done: boolean): void {
    this.stroke = done ? null : stroke;
    const asBox = tool.peek() === "box";
    if (done && encloses(stroke, asBox)) this.select(asBox ? box(stroke[0], stroke[stroke.length - 1]) : simplifyTo(stroke, 1, 120));
    this.redraw();
  }

  /** The region is kept as drawn, in data coordinates rounded alike for the URL, the server and this page. */
  private select(shape: Point[]): void {
    batch(() => {
      similar.value = null;
      polygon.value = shape.map((p) => toData(this.camera, this.size, p).map((v) => Number(v.toPrecision(6))) as Point);
    });
  }

  selectView(): void {
    this.select(box([0, 0], [this.size.width, this.size.height]));
  }

  hover(at: Point | null): void {
    if (!at || !meta.peek()) return void (hovered.value = null);
    const cluster = nameAt(at);
    const row = cluster ? -1 : this.rowAt(at);
    const same = hovered.peek();
    this.element.classList.toggle("pointing", tool.peek() === "pan" && (row >= 0 || Boolean(cluster)));
    if (row < 0 && !cluster) hovered.value = null;
    else if (same?.row !== row || same?.cluster !== cluster) hovered.value = cluster ? { at, cluster } : { at, row };
  }

  /** Row of the point under the cursor; −1: none. */
  private rowAt(at: Point): number {
    const place = placement(this.camera, this.size, meta.peek()!.extent, 1);
    const reach = Math.max(6, this.dot + 3);
    const [x, y] = [(at[0] - place.ax) / place.bx, (at[1] - place.ay) / place.by];
    const i = nearest(points.peek(), bins.value, x, y, reach / place.bx, reach / -place.by);
    return i < 0 ? -1 : points.peek().index[i];
  }

  click(at: Point, event: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }): void {
    if (!meta.peek()) return;
    const cluster = nameAt(at);
    if (cluster) return this.clickCluster(cluster);
    const row = this.rowAt(at);
    if (row < 0) return;
    void brief([row]).then(([found]) => {
      if (!found) return;
      if (event.shiftKey || event.ctrlKey || event.metaKey) pick(found);
      else item.value = found.uid;
    });
  }

  private clickCluster(cluster: Cluster): void {
    const column = meta.peek()?.columns.find((c) => c.name === "cluster");
    const value = column?.values?.find(([v]) => String(v) === cluster.label || v === cluster.id);
    if (value) filters.value = toggle(filters.peek(), "cluster", value[0]);
  }

  /** Whether the point of a row is among those sent. */
  knows(row: number): boolean {
    return placeOf(row) >= 0;
  }
}
