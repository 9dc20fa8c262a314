// Mouse, touch and keyboard on the map, turned into moves, strokes and clicks.

import { distanceToSegment } from "./geometry.ts";
import type { Point } from "./types.ts";

export interface Moves {
  pan(dx: number, dy: number): void;
  zoom(at: Point, factor: number): void;
  home(): void;
  /** A stroke of the lasso or box so far; `done` when the pointer is lifted. */
  draw(stroke: Point[], done: boolean): void;
  /** Whether a drag draws instead of moving the map. */
  drawing(shift: boolean): boolean;
  hover(at: Point | null): void;
  click(at: Point, event: PointerEvent): void;
  selectView(): void;
}

const CLICK = 4;

export function listen(target: HTMLElement, moves: Moves): () => void {
  const down = new Map<number, Point>();
  let stroke: Point[] | null = null;
  let moved = 0;
  const at = (e: MouseEvent): Point => {
    const box = target.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };

  function pointerDown(e: PointerEvent): void {
    if (e.button !== 0) return;
    target.setPointerCapture(e.pointerId);
    target.focus({ preventScroll: true });
    down.set(e.pointerId, at(e));
    moved = down.size > 1 ? Infinity : 0;
    stroke = down.size === 1 && moves.drawing(e.shiftKey) ? [at(e)] : null;
    moves.hover(null);
  }

  function pointerMove(e: PointerEvent): void {
    const before = down.get(e.pointerId);
    const now = at(e);
    if (!before) return moves.hover(e.pointerType === "touch" ? null : now);
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (down.size === 2) pinch(e.pointerId, before, now);
    else if (stroke) extend(now);
    else if (moved > CLICK) moves.pan(now[0] - before[0], now[1] - before[1]);
    down.set(e.pointerId, now);
  }

  function extend(now: Point): void {
    const last = stroke![stroke!.length - 1];
    if (Math.hypot(now[0] - last[0], now[1] - last[1]) >= 2) stroke!.push(now);
    if (moved > CLICK) moves.draw(stroke!, false);
  }

  function pinch(id: number, before: Point, now: Point): void {
    const [other] = [...down].filter(([key]) => key !== id).map(([, p]) => p);
    const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
    const is = Math.hypot(now[0] - other[0], now[1] - other[1]);
    moves.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    if (was > 0 && is > 0) moves.zoom([(now[0] + other[0]) / 2, (now[1] + other[1]) / 2], is / was);
  }

  function pointerUp(e: PointerEvent): void {
    if (!down.delete(e.pointerId)) return;
    const finished = stroke;
    stroke = null;
    if (e.type === "pointercancel") moves.draw([], true);
    else if (finished && moved > CLICK) moves.draw(finished, true);
    else if (moved <= CLICK) moves.click(at(e), e);
  }

  function wheel(e: WheelEvent): void {
    e.preventDefault();
    const lines = e.deltaMode === 1 ? 24 : 1;
    moves.zoom(at(e), Math.exp(-e.deltaY * lines * (e.ctrlKey ? 0.01 : 0.0016)));
  }

  function keyDown(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const far = e.shiftKey ? 240 : 80;
    const middle: Point = [target.clientWidth / 2, target.clientHeight / 2];
    const keys: Record<string, () => void> = {
      ArrowLeft: () => moves.pan(far, 0), ArrowRight: () => moves.pan(-far, 0),
      ArrowUp: () => moves.pan(0, far), ArrowDown: () => moves.pan(0, -far),
      "+": () => moves.zoom(middle, 1.4), "=": () => moves.zoom(middle, 1.4), "-": () => moves.zoom(middle, 1 / 1.4), "_": () => moves.zoom(middle, 1 / 1.4),
      "0": () => moves.home(), a: () => moves.selectView(),
    };
    const act = keys[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  const leave = () => moves.hover(null);
  const on: [string, (e: never) => void][] = [
    ["pointerdown", pointerDown], ["pointermove", pointerMove], ["pointerup", pointerUp], ["pointercancel", pointerUp],
    ["pointerleave", leave], ["wheel", wheel], ["keydown", keyDown],
  ];
  for (const [type, handler] of on) target.addEventListener(type, handler as EventListener, { passive: false });
  return () => on.forEach(([type, handler]) => target.removeEventListener(type, handler as EventListener));
}

/** Whether a stroke encloses anything worth selecting, as a lasso or as the diagonal of a box. */
export function encloses(stroke: readonly Point[], asBox: boolean): boolean {
  const [first, last] = [stroke[0], stroke[stroke.length - 1]];
  if (stroke.length < 2) return false;
  if (asBox) return Math.abs(last[0] - first[0]) > 3 && Math.abs(last[1] - first[1]) > 3;
  return stroke.some((p) => distanceToSegment(p, first, last) > 3);
}
