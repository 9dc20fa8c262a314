// The legend: entries filter on click and point out their points on hover; numbers have a colour bar.

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { colourOf, colouredBy, points } from "./cloud.ts";
import { continuous, css, MISSING } from "./colour.ts";
import { useCounts } from "./counts.ts";
import { isOn, toggle, type Value } from "./filters.ts";
import { category, count, number, time, title, unitOf } from "./format.ts";
import { Icon } from "./icons.tsx";
import { ColourChooser } from "./map.tsx";
import { colour, columns, filters, highlight, theme } from "./state.ts";
import type { Column } from "./types.ts";

/** One line above the map, so that no point is hidden; the whole list opens over it. */
export function Legend() {
  const open = useSignal(false);
  const column = columns.value.get(colour.value ?? "");
  return (
    <div class="map-head" role="group" aria-label={column ? `Legend: ${title(column.name)}` : "Legend"}>
      <ColourChooser />
      {column?.kind === "category" && <Entries key={column.name} column={column} open={open} />}
      {column && column.kind !== "category" && <Ramp column={column} />}
    </div>
  );
}

function Entries({ column, open }: { column: Column; open: Signal<boolean> }) {
  const { now } = useCounts(column);
  const counts = now.value ? new Map(now.value.values?.map(([v, n]) => [v, n])) : null;
  const line = useRef<HTMLDivElement>(null);
  const fits = useSignal(Infinity);
  const any = column.name in filters.value;
  const off = (value: Value | null) => any && !isOn(filters.value, column.name, value);
  const all: Entry[] = (column.values ?? []).map(([value, n], i) => ({ column, value, code: i + 1, n: counts ? (counts.get(value) ?? 0) : n, off: off(value) }));
  if (column.missing) all.push({ column, value: null, code: 0, n: now.value ? (now.value.missing ?? 0) : column.missing, off: off(null) });
  const more = (column.distinct ?? 0) - (column.values?.length ?? 0);

  useEffect(() => () => void (highlight.value = null), []);
  useLayoutEffect(() => {
    const count = () => {
      const entries = [...line.current!.children] as HTMLElement[];
      fits.value = entries.filter((e) => e.offsetTop === entries[0].offsetTop).length;
    };
    const watch = new ResizeObserver(count);
    watch.observe(line.current!);
    return () => watch.disconnect();
  }, []);

  return (
    <>
      <div ref={line} class="legend-line" onPointerLeave={() => (highlight.value = null)}>
        {all.slice(0, ON_LINE).map((entry, i) => <LegendEntry key={String(entry.value)} {...entry} hidden={i >= fits.value} />)}
      </div>
      {(all.length > fits.value || open.value) && (
        <button type="button" class="button quiet legend-more" aria-expanded={open.value} title="The whole legend, with counts" onClick={() => (open.value = !open.value)}>
          {open.value ? "Close" : `+ ${count(all.length - Math.min(fits.value, all.length))}`}<Icon name={open.value ? "up" : "down"} />
        </button>
      )}
      {open.value && (
        <ul class="legend" onPointerLeave={() => (highlight.value = null)}>
          {all.map((entry) => <li key={String(entry.value)}><LegendEntry {...entry} counted /></li>)}
          {more > 0 && <li class="rest">{count(more)} more values</li>}
        </ul>
      )}
    </>
  );
}

const ON_LINE = 24;

interface Entry {
  column: Column;
  value: Value | null;
  code: number;
  n: number;
  /** Filtered out. */
  off: boolean;
}

function LegendEntry({ column, value, code, n, off, counted, hidden }: Entry & { counted?: boolean; hidden?: boolean }) {
  const text = value === null ? "no value" : category(column.name, value);
  return (
    <button type="button" class={"legend-entry" + (off ? " off" : "")} title={`${value ?? "no value"}: click to filter`} aria-pressed={isOn(filters.value, column.name, value)} style={{ visibility: hidden ? "hidden" : "" }}
      onPointerEnter={() => (highlight.value = code)} onFocus={(e) => e.currentTarget.matches(":focus-visible") && (highlight.value = code)} onBlur={() => (highlight.value = null)}
      onClick={() => (filters.value = toggle(filters.value, column.name, value))}>
      <span class="dot" style={{ background: css(colourOf(column, value, theme.value)) }} />
      <span class="name">{text}</span>{counted && <span class="count">{count(n)}</span>}
    </button>
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
  const { min, max } = points.value;
  const [low, high] = colouredBy.value === column.name ? [min, max] : [NaN, NaN];
  const say = (v: number) => (column.kind === "time" ? time(v, true) : number(v, 3));
  return (
    <div class="ramp">
      <span class="low">{say(low)}</span>
      <canvas ref={canvas} width={STEPS} height={1} aria-hidden="true" />
      <span class="high">{say(high)}</span><span class="unit">{column.kind === "time" ? "UTC" : unitOf(column)}</span>
      {Boolean(column.missing) && <span class="note"><span class="dot" style={{ background: css(MISSING[now]) }} />no value ({count(column.missing!)})</span>}
    </div>
  );
}

