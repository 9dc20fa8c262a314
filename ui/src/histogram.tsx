// A histogram whose range is pulled with the mouse, the keyboard or typed in.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { isRange, setRange } from "./filters.ts";
import { millis, number, time, title, unitOf } from "./format.ts";
import { filters } from "./state.ts";
import type { Column, Histogram } from "./types.ts";
import { clamp } from "./view.ts";

const W = 240;
const H = 48;

interface Bars {
  low: number;
  high: number;
  all: number[];
  now: number[] | null;
}

export function bars(column: Column, all: Histogram | null, now: Histogram | null): Bars {
  const edges = (all?.edges ?? []).map(millis);
  const [low, high] = edges.length > 1 ? [edges[0], edges[edges.length - 1]] : [millis(column.min ?? 0), millis(column.max ?? 1)];
  return { low, high: high > low ? high : low + 1, all: all?.counts ?? [], now: now?.counts ?? null };
}

export function HistogramFilter({ column, all, now }: { column: Column; all: Histogram | null; now: Histogram | null }) {
  const shape = bars(column, all, now);
  const clause = filters.value[column.name];
  const set: [number, number] | null = clause && isRange(clause) ? [clause.low === null ? shape.low : millis(clause.low), clause.high === null ? shape.high : millis(clause.high)] : null;
  const pulled = useSignal<[number, number] | null>(null);
  const range = pulled.value ?? set ?? [shape.low, shape.high];
  const commit = ([a, b]: [number, number]) => {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    const tiny = (shape.high - shape.low) * 1e-6;
    filters.value = setRange(filters.value, column.name, low <= shape.low + tiny ? null : bound(column, low), high >= shape.high - tiny ? null : bound(column, high));
    pulled.value = null;
  };
  return (
    <div class="histogram">
      <Plot shape={shape} range={range} active={Boolean(pulled.value ?? set)} name={title(column.name)} column={column} onPull={(r) => (pulled.value = r)} onSet={commit} />
      <div class="ends">
        <End column={column} value={range[0]} side="from" onSet={(v) => commit([clamp(v, shape.low, shape.high), range[1]])} />
        <span class="unit">{column.kind === "time" ? "UTC" : unitOf(column)}</span>
        <End column={column} value={range[1]} side="to" onSet={(v) => commit([range[0], clamp(v, shape.low, shape.high)])} />
      </div>
    </div>
  );
}

/** A bound as the server reads it: times as ISO text, numbers with no more digits than they have. */
function bound(column: Column, value: number): number | string {
  return column.kind === "time" ? new Date(value).toISOString() : Number(value.toPrecision(7));
}

interface PlotProps {
  shape: Bars;
  range: [number, number];
  active: boolean;
  name: string;
  column: Column;
  onPull: (range: [number, number]) => void;
  onSet: (range: [number, number]) => void;
}

function Plot({ shape, range, active, name, column, onPull, onSet }: PlotProps) {
  const svg = useRef<SVGSVGElement>(null);
  const pull = useRef<{ from: number; mode: "low" | "high" | "new" | "move"; was: [number, number] } | null>(null);
  const x = (v: number) => clamp(((v - shape.low) / (shape.high - shape.low)) * W, 0, W);
  const valueAt = (e: PointerEvent) => {
    const box = svg.current!.getBoundingClientRect();
    return shape.low + clamp((e.clientX - box.left) / box.width, 0, 1) * (shape.high - shape.low);
  };
  const moved = (v: number): [number, number] => {
    const { from, mode, was } = pull.current!;
    if (mode === "low") return [v, was[1]];
    if (mode === "high") return [was[0], v];
    if (mode === "new") return [Math.min(from, v), Math.max(from, v)];
    const by = clamp(v - from, shape.low - was[0], shape.high - was[1]);
    return [was[0] + by, was[1] + by];
  };
  const down = (e: PointerEvent) => {
    const v = valueAt(e);
    const near = (shape.high - shape.low) * 0.03;
    const mode = Math.abs(v - range[0]) < near ? "low" : Math.abs(v - range[1]) < near ? "high" : active && v > range[0] && v < range[1] ? "move" : "new";
    pull.current = { from: v, mode, was: range };
    svg.current!.setPointerCapture(e.pointerId);
  };
  const up = (e: PointerEvent) => {
    if (!pull.current) return;
    const next = moved(valueAt(e));
    const width = (next[1] - next[0]) / (shape.high - shape.low);
    onSet(width < 0.004 && pull.current.mode === "new" ? [shape.low, shape.high] : next);
    pull.current = null;
  };
  return (
    <svg ref={svg} class="plot" viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" role="group" aria-label={`Histogram of ${name}`}
      onPointerDown={down} onPointerMove={(e) => pull.current && onPull(moved(valueAt(e)))} onPointerUp={up}>
      <Steps shape={shape} />
      {active && <><rect class="outside" x={0} y={0} width={x(range[0])} height={H} /><rect class="outside" x={x(range[1])} y={0} width={W - x(range[1])} height={H} /></>}
      <Handle at={x(range[0])} value={range[0]} shape={shape} label={`${name}, from`} column={column} onMove={(v) => onSet([Math.min(v, range[1]), range[1]])} />
      <Handle at={x(range[1])} value={range[1]} shape={shape} label={`${name}, to`} column={column} onMove={(v) => onSet([range[0], Math.max(v, range[0])])} />
    </svg>
  );
}

/** All images faintly, those that pass the other filters in front; heights by square root, so that rare values are seen. */
function Steps({ shape }: { shape: Bars }) {
  const most = Math.sqrt(Math.max(1, ...shape.all));
  const step = W / Math.max(1, shape.all.length);
  const path = (counts: number[]) =>
    counts.map((n, i) => (n ? `M${(i * step + 0.4).toFixed(1)} ${H}v${(-Math.max(1, (Math.sqrt(n) / most) * (H - 3))).toFixed(1)}h${(step - 0.8).toFixed(1)}V${H}z` : "")).join("");
  return <><path class="all" d={path(shape.all)} /><path class="now" d={path(shape.now ?? shape.all)} /></>;
}

interface HandleProps {
  at: number;
  value: number;
  shape: Bars;
  label: string;
  column: Column;
  onMove: (value: number) => void;
}

function Handle({ at, value, shape, label, column, onMove }: HandleProps) {
  const key = (e: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -1e9, End: 1e9 }[e.key];
    if (!by) return;
    e.preventDefault();
    onMove(clamp(value + (by * (shape.high - shape.low)) / 100, shape.low, shape.high));
  };
  return (
    <g class="handle" tabindex={0} role="slider" aria-label={label} aria-valuemin={shape.low} aria-valuemax={shape.high} aria-valuenow={value} aria-valuetext={say(column, value)} onKeyDown={key}>
      <rect class="grip" x={clamp(at - 6, -2, W - 10)} y={0} width={12} height={H} />
      <line x1={clamp(at, 0.75, W - 0.75)} x2={clamp(at, 0.75, W - 0.75)} y1={0} y2={H} />
    </g>
  );
}

function say(column: Column, value: number): string {
  return column.kind === "time" ? time(value, true) : number(value, 4);
}

function End({ column, value, side, onSet }: { column: Column; value: number; side: string; onSet: (v: number) => void }) {
  const box = useRef<HTMLInputElement>(null);
  const text = say(column, value);
  useEffect(() => {
    if (box.current && document.activeElement !== box.current) box.current.value = text;
  }, [text]);
  const read = () => {
    const typed = box.current!.value.replace(/[\s\u202f]/g, "").replace("\u2212", "-").replace(",", ".");
    const v = column.kind === "time" ? millis(box.current!.value) : Number(typed);
    if (box.current!.value === text) return;
    if (typed !== "" && Number.isFinite(v)) onSet(v);
    else box.current!.value = text;
  };
  return <input ref={box} class="end" type="text" spellcheck={false} aria-label={`${title(column.name)} ${side}`} defaultValue={text} onBlur={read} onKeyDown={(e) => e.key === "Enter" && read()} />;
}
