// The image grid: only what is in sight exists, pictures come by the sheet.

import { computed, signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { pointColour } from "./cloud.ts";
import { field, length, number, words } from "./format.ts";
import { Icon } from "./icons.tsx";
import { cellAt, cellsIn, gridHeight, layOut, reveal, step, trueScale, type Grid } from "./layout.ts";
import { clearAll, columns, item, listing, narrowed, pick, picks, similar, sort, trueSize } from "./state.ts";
import { thumbOf, want } from "./thumbs.ts";
import { longSide, nameOf, sizeOf } from "./tooltip.tsx";
import type { Row } from "./types.ts";

const CELL_REM = 5.75;
const CAPTION_REM = 1.35;
const GAP = 8;

const cellNow = signal(92);

/** Screen pixels per µm where all images are shown at one scale. */
export const gridScale = computed(() => {
  const list = listing.value;
  if (!trueSize.value || !list) return 0;
  void list.version.value;
  return trueScale(list.known().map(longSide), cellNow.value);
});

export function GridView() {
  const window_ = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const height = useSignal(0);
  const top = useSignal(0);
  const focus = useSignal(0);
  const anchor = useRef(0);
  const list = listing.value;
  void list?.version.value;

  useLayoutEffect(() => {
    const node = window_.current!;
    const watch = new ResizeObserver(() => {
      width.value = node.clientWidth;
      height.value = node.clientHeight;
    });
    watch.observe(node);
    return () => watch.disconnect();
  }, []);
  useSignalEffect(() => {
    void listing.value;
    if (window_.current) window_.current.scrollTop = 0;
    focus.value = 0;
  });

  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  const grid = layOut(Math.max(0, width.value - 2 * GAP), list?.total ?? 0, CELL_REM * rem, CAPTION_REM * rem, GAP);
  useEffect(() => void (cellNow.value = grid.cell), [grid.cell]);
  const [first, last] = cellsIn(grid, top.value, height.value);
  const shown: [number, Row | undefined][] = [];
  for (let i = first; i < last; i++) shown.push([i, list?.row(i)]);
  useEffect(() => {
    list?.need(first, last);
    want(shown.flatMap(([, row]) => row?.index ?? []));
  });

  const moveFocus = (i: number) => {
    focus.value = i;
    window_.current!.scrollTop = reveal(grid, i, window_.current!.scrollTop, height.value);
    requestAnimationFrame(() => window_.current?.querySelector<HTMLElement>(`[data-cell="${i}"]`)?.focus({ preventScroll: true }));
  };
  const key = (e: KeyboardEvent) => {
    const row = list?.row(focus.value);
    if (e.key === " " && row) pick(row);
    else if (/^(Arrow|Page|Home|End)/.test(e.key)) moveFocus(step(grid, focus.value, e.key));
    else return;
    e.preventDefault();
  };
  const click = (i: number, row: Row, e: MouseEvent) => {
    focus.value = i;
    if (e.shiftKey) for (let k = Math.min(i, anchor.current); k <= Math.max(i, anchor.current); k++) pickAt(k);
    else if (e.ctrlKey || e.metaKey) pick(row);
    else item.value = row.uid;
    anchor.current = i;
  };
  const pickAt = (k: number) => {
    const row = list?.row(k);
    if (row) pick(row, true);
  };

  return (
    <div ref={window_} class="grid" role="group" aria-label="Images: arrow keys walk, Enter opens, Space picks" data-testid="grid" onScroll={(e) => (top.value = e.currentTarget.scrollTop)} onKeyDown={key}>
      <div class="grid-sheet" style={{ height: `${gridHeight(grid) + 2 * GAP}px` }}>
        {shown.map(([i, row]) => <Cell key={row?.uid ?? i} i={i} row={row} grid={grid} focused={i === focus.value} onClick={click} />)}
      </div>
      {!list && <Waiting grid={grid} />}
      {list?.total === 0 && <Nothing />}
    </div>
  );
}

interface CellProps {
  i: number;
  row?: Row;
  grid: Grid;
  focused: boolean;
  onClick: (i: number, row: Row, e: MouseEvent) => void;
}

function Cell({ i, row, grid, focused, onClick }: CellProps) {
  const [left, top] = cellAt(grid, i);
  const place = { transform: `translate(${left + GAP}px, ${top + GAP}px)`, width: `${grid.cell}px`, height: `${grid.row - grid.gap}px` };
  if (!row) return <div class="cell waiting" style={place} />;
  const picked = picks.value.has(row.uid);
  return (
    <div class={"cell" + (picked ? " picked" : "") + (item.value === row.uid ? " open" : "")} style={place}>
      <button type="button" class="open-cell" data-cell={i} data-uid={row.uid} tabIndex={focused ? 0 : -1} title={`${nameOf(row)} · ${sizeOf(row)}`} onClick={(e) => onClick(i, row, e)}>
        <span class="frame" style={{ width: `${grid.cell}px`, height: `${grid.cell}px` }}><Picture row={row} cell={grid.cell} /></span>
        <span class="caption"><span class="dot" style={{ background: pointColour(row.index) ?? "transparent" }} /><span class="name">{captionOf(row)}</span></span>
      </button>
      <button type="button" class="tick-cell" aria-label={picked ? "Take out" : "Pick"} aria-pressed={picked} tabIndex={-1} onClick={() => pick(row)}>{picked && <Icon name="check" />}</button>
    </div>
  );
}

/** What one sorts by, or how alike it is, is what one reads; else the name. */
function captionOf(row: Row): string {
  if (similar.value && row.score !== null && row.score !== undefined) return row.score.toFixed(3);
  const by = sort.value.by;
  if (by === "longest_side_um" && row.pixel_um) return length(longSide(row));
  const value = by ? (row as unknown as Record<string, unknown>)[by] : undefined;
  if (by && typeof value === "number") return field(by, Number(value.toPrecision(3)), columns.value.get(by)?.unit);
  if (by === "time_utc" && value) return String(field(by, value)).slice(0, 10);
  return by && typeof value === "string" ? words(value) : nameOf(row);
}

/** Drawn from the sprite; a picture too large for the common scale is shown smaller, and says so. */
function Picture({ row, cell }: { row: Row; cell: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const thumb = thumbOf(row.index);
  const fitScale = Math.min(cell / row.width, cell / row.height);
  const wanted = trueSize.value && row.pixel_um ? row.pixel_um * gridScale.value : Math.min(fitScale, 2);
  const scale = Math.min(wanted, fitScale);
  const [w, h] = [Math.max(2, Math.round(row.width * scale)), Math.max(2, Math.round(row.height * scale))];
  useEffect(() => {
    const node = canvas.current;
    if (!node || !thumb) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    [node.width, node.height] = [w * ratio, h * ratio];
    const pen = node.getContext("2d")!;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(thumb.sheet, thumb.x, thumb.y, thumb.width, thumb.height, 0, 0, node.width, node.height);
  }, [thumb, w, h]);
  return (
    <>
      <canvas ref={canvas} class={thumb ? "" : "waiting"} style={{ width: `${w}px`, height: `${h}px` }} />
      {trueSize.value && wanted > fitScale * 1.02 && <span class="shrunk" title="Larger than its cell: shown smaller">{number(fitScale / wanted, 2)}×</span>}
    </>
  );
}

function Waiting({ grid }: { grid: Grid }) {
  return <div class="grid-sheet" aria-hidden="true">{Array.from({ length: grid.columns * 4 }, (_, i) => {
    const place = layOut(grid.columns * (grid.cell + grid.gap) - grid.gap, 99, grid.cell, grid.row - grid.cell - grid.gap, grid.gap);
    const [left, top] = cellAt(place, i);
    return <div key={i} class="cell waiting" style={{ transform: `translate(${left + GAP}px, ${top + GAP}px)`, width: `${grid.cell}px`, height: `${grid.cell}px` }} />;
  })}</div>;
}

function Nothing() {
  return (
    <div class="empty">
      <h2>No images here</h2>
      <p>{similar.value ? "Nothing that passes the filters is similar." : "No image passes all filters and the region."}</p>
      {(narrowed.value || similar.value) && <button type="button" class="button" onClick={clearAll}>Clear all</button>}
    </div>
  );
}
