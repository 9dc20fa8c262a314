// The legend: entries filter on click and point out their points on hover; numbers have a colour bar.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { colourOf, points } from "./cloud.ts";
import { continuous, css, MISSING } from "./colour.ts";
import { useCounts } from "./counts.ts";
import { isOn, toggle } from "./filters.ts";
import { category, count, millis, number, time, title, unitOf } from "./format.ts";
import { IconButton } from "./icons.tsx";
import { ColourChooser } from "./map.tsx";
import { colour, columns, filters, highlight, theme } from "./state.ts";
import type { Column } from "./types.ts";

const MOST_ENTRIES = 60;

export function Legend() {
  const folded = useSignal(false);
  const column = columns.value.get(colour.value ?? "");
  if (!column) return null;
  return (
    <div class={"legend" + (folded.value ? " folded" : "")} role="group" aria-label={`Legend: ${title(column.name)}`}>
      <div class="head"><ColourChooser /><IconButton icon={folded.value ? "up" : "down"} label={folded.value ? "Show legend" : "Fold legend"} onClick={() => (folded.value = !folded.value)} /></div>
      {!folded.value && (column.kind === "category" ? <Entries key={column.name} column={column} /> : <Ramp column={column} />)}
    </div>
  );
}

function Entries({ column }: { column: Column }) {
  const { now } = useCounts(column);
  const counts = now.value ? new Map(now.value.values?.map(([v, n]) => [v, n])) : null;
  const values = (column.values ?? []).slice(0, MOST_ENTRIES);
  const any = column.name in filters.value;
  const rest = (column.distinct ?? column.values?.length ?? 0) - values.length;
  useEffect(() => () => void (highlight.value = null), []);
  return (
    <ul onPointerLeave={() => (highlight.value = null)}>
      {values.map(([value, n], i) => (
        <LegendEntry key={String(value)} column={column} value={value} code={i + 1} n={counts ? (counts.get(value) ?? 0) : n} off={any && !isOn(filters.value, column.name, value)} />
      ))}
      {Boolean(column.missing) && <LegendEntry column={column} value={null} code={0} n={now.value ? (now.value.missing ?? 0) : column.missing!} off={any && !isOn(filters.value, column.name, null)} />}
      {rest > 0 && <li class="rest">{count(rest)} more in the filter panel</li>}
    </ul>
  );
}

interface LegendEntryProps {
  column: Column;
  value: string | number | boolean | null;
  code: number;
  n: number;
  off: boolean;
}

function LegendEntry({ column, value, code, n, off }: LegendEntryProps) {
  const text = value === null ? "no value" : category(column.name, value);
  return (
    <li class={off ? "off" : ""}>
      <button type="button" title={`${value ?? "no value"}: click to filter`} aria-pressed={isOn(filters.value, column.name, value)}
        onPointerEnter={() => (highlight.value = code)} onFocus={(e) => e.currentTarget.matches(":focus-visible") && (highlight.value = code)} onBlur={() => (highlight.value = null)}
        onClick={() => (filters.value = toggle(filters.value, column.name, value))}>
        <span class="dot" style={{ background: css(colourOf(column, value, theme.value)) }} />
        <span class="name">{text}</span><span class="count">{count(n)}</span>
      </button>
    </li>
  );
}

const STEPS = 160;

function Ramp({ column }: { column: Column }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = theme.value;
  useEffect(() => {
    const pen = canvas.current!.getContext("2d")!;
    for (let i = 0; i < STEPS; i++) {
      pen.fillStyle = css(continuous(i / (STEPS - 1), now));
      pen.fillRect(i, 0, 1, 1);
    }
  }, [now]);
  const { min, max, kind } = points.value;
  const [low, high] = column.kind === "time" || kind === "category" ? [millis(column.min ?? NaN), millis(column.max ?? NaN)] : [min, max];
  const say = (v: number) => (column.kind === "time" ? time(v, true) : number(v, 3));
  return (
    <div class="ramp">
      <canvas ref={canvas} width={STEPS} height={1} aria-hidden="true" />
      <div class="ends"><span>{say(low)}</span><span class="unit">{column.kind === "time" ? "" : unitOf(column)}</span><span>{say(high)}</span></div>
      {Boolean(column.missing) && <p class="note"><span class="dot" style={{ background: css(MISSING[now]) }} />no value: {count(column.missing!)}</p>}
    </div>
  );
}

