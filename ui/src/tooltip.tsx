// What is under the cursor: the picture, its name, its size.

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { report } from "./failure.ts";
import { area, number, percent, words } from "./format.ts";
import { thumbSize } from "./layout.ts";
import { hovered } from "./mapview.ts";
import { clusterNote } from "./overlay.ts";
import { rowAt } from "./rows.ts";
import { api } from "./state.ts";
import { brief } from "./thumbs.ts";
import type { Row } from "./types.ts";

const row = signal<Row | null>(null);
let wait = 0;

effect(() => {
  const at = hovered.value?.row;
  clearTimeout(wait);
  if (at === undefined) return void (row.value = null);
  const known = rowAt(at);
  row.value = known ?? null;
  if (!known) wait = window.setTimeout(() => brief([at]).then(([got]) => hovered.peek()?.row === at && (row.value = got ?? null), report), 40);
});

const SIDE = 144;

export function Tooltip() {
  const box = useRef<HTMLDivElement>(null);
  const over = hovered.value;
  useEffect(() => {
    const [card, frame] = [box.current, box.current?.parentElement];
    if (!card || !frame || !over) return;
    const [w, h] = [card.offsetWidth, card.offsetHeight];
    const left = over.at[0] + 18 + w > frame.clientWidth ? over.at[0] - w - 18 : over.at[0] + 18;
    const top = Math.max(8, Math.min(frame.clientHeight - h - 8, over.at[1] - h / 2));
    card.style.transform = `translate(${Math.max(8, Math.round(left))}px, ${Math.round(top)}px)`;
  });
  if (!over) return null;
  if (over.cluster) return <div ref={box} class="tooltip" role="tooltip"><strong>{clusterNote(over.cluster)}</strong><span>Click to show only this cluster</span></div>;
  const found = row.value;
  return (
    <div ref={box} class="tooltip point" role="tooltip" data-testid="tooltip">
      <div class="picture">{found && <Picture row={found} />}</div>
      {found ? <Facts row={found} /> : <span class="muted">Loading …</span>}
    </div>
  );
}

function Picture({ row: r }: { row: Row }) {
  const [w, h] = thumbSize(r.width, r.height);
  const grow = Math.min(SIDE / Math.max(w, h), 2.5);
  return <img src={api.value!.thumb(r.index)} width={Math.round(w * grow)} height={Math.round(h * grow)} alt="" />;
}

function Facts({ row: r }: { row: Row }) {
  return (
    <>
      <strong>{nameOf(r)}</strong>
      <span>{sizeOf(r)}{r.instrument ? ` · ${r.instrument}` : ""}</span>
      <span>{depthOf(r)}</span>
    </>
  );
}

/** What an image is called: by people, else by the model with its confidence. */
export function nameOf(r: Row): string {
  const said = r.taxon ?? r.label;
  if (said) return words(said);
  const guess = r.taxon_linear ?? r.taxon_knn;
  const sure = r.taxon_linear ? r.p_linear : r.p_knn;
  return guess ? `${words(guess)}?${sure === null || sure === undefined ? "" : " " + percent(sure)}` : "not named";
}

export function sizeOf(r: Row): string {
  return r.pixel_um ? area(r.width * r.pixel_um, r.height * r.pixel_um) : `${r.width} × ${r.height} px`;
}

export function depthOf(r: Row): string {
  const [top, bottom] = [r.depth_min_m, r.depth_max_m];
  if (top === null || top === undefined) return "";
  const same = bottom === null || bottom === undefined || Math.abs(bottom - top) < 0.5;
  return same ? `${number(top, 3)} m deep` : `${number(top, 3)}–${number(bottom, 3)} m deep`;
}

export function longSide(r: Row): number {
  return Math.max(r.width, r.height) * (r.pixel_um ?? 0);
}

