// The card of one image: the picture, what is said of it, what each model thinks, its like, and all its metadata.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { isAbort, type ServerError } from "./api.ts";
import { field, percent, time, title, words } from "./format.ts";
import { Icon, IconButton } from "./icons.tsx";
import { theMap } from "./map.tsx";
import { remember } from "./rows.ts";
import { api, columns, item, listing, meta, showSimilar } from "./state.ts";
import { Strip } from "./strip.tsx";
import type { Item, Label, Row } from "./types.ts";
import { Viewer } from "./viewer.tsx";

const shown = signal<Item | null>(null);

export function ItemCard({ uid }: { uid: string }) {
  const panel = useRef<HTMLDivElement>(null);
  const wrong = useSignal<ServerError | null>(null);
  const server = api.value;
  useEffect(() => {
    const running = new AbortController();
    wrong.value = null;
    server?.item(uid, running.signal).then((read) => {
      shown.value = read;
      remember([rowOf(read)]);
      if (read.x !== undefined && read.y !== undefined) theMap()?.reveal(read.x, read.y);
    }, (error) => {
      if (!isAbort(error)) wrong.value = error as ServerError;
    });
    return () => running.abort();
  }, [uid, server]);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus({ preventScroll: true });
    return () => before?.isConnected && before.focus({ preventScroll: true });
  }, []);
  const now = shown.value;
  return (
    <div ref={panel} class="card" role="dialog" aria-label="Image" tabIndex={-1} data-testid="card" data-uid={now?.uid}>
      <CardHead now={now?.uid === uid ? now : null} uid={uid} />
      {wrong.value ? <div class="empty"><h2>{wrong.value.message}</h2><p>{wrong.value.act || "Close the card and choose another image."}</p></div>
        : now ? <div class="card-body" key={now.uid}><Viewer shown={now} /><Said labels={now.labels} /><Predictions of={now.predictions} /><Strip uid={now.uid} /><Metadata now={now} /></div>
        : <div class="card-body"><div class="skeleton picture" /><div class="skeleton section" /></div>}
    </div>
  );
}

function rowOf({ uid, index, converted }: Item): Row {
  return { ...(converted as unknown as Row), uid, index };
}

/** What the image is called, and the way to the ones before and after it in the list. */
function CardHead({ now, uid }: { now: Item | null; uid: string }) {
  return (
    <div class="card-head">
      <IconButton icon="back" label="Back to the images" keys="Esc" onClick={() => (item.value = null)} />
      <h2>{now ? headline(now) : "Loading …"}</h2>
      <span class="spacer" />
      <IconButton icon="similar" label="Similar images" keys="S" onClick={() => showSimilar([uid])} />
      <IconButton icon="up" label="Image before" keys="K" disabled={neighbour(-1) === null} onClick={() => walk(-1)} />
      <IconButton icon="down" label="Image after" keys="J" disabled={neighbour(1) === null} onClick={() => walk(1)} />
    </div>
  );
}

export function headline({ labels, predictions }: Item): string {
  const said = labels.find((l) => l.taxon ?? l.label);
  if (said) return words((said.taxon ?? said.label) as string);
  const newest = predictions[meta.value?.model ?? ""] ?? Object.values(predictions)[0] ?? {};
  const guess = newest.taxon_linear ?? newest.taxon_knn;
  return guess ? `${words(String(guess))}?` : "not named";
}

/** The one so many places on; from an image that the list has not reached, the list's first. */
function neighbour(by: number): string | null {
  const list = listing.value;
  void list?.version.value;
  const at = list && item.value !== null ? list.find(item.value) : -1;
  if (!list || at + by < 0) return null;
  list.need(Math.max(0, at + by), at + by + 1);
  return list.row(at + by)?.uid ?? null;
}

/** Opens the image before or after the open one, organism by organism. */
export function walk(by: number): void {
  const next = neighbour(by);
  if (next) item.value = next;
}

function Said({ labels }: { labels: Label[] }) {
  return (
    <section>
      <h3>Labels</h3>
      {labels.length === 0 && <p class="note">Nobody has named this image yet.</p>}
      <ul class="labels">
        {labels.map((l, i) => (
          <li key={i}><strong>{words(l.taxon ?? l.label ?? "–")}</strong>{l.taxon && l.label && words(l.taxon) !== words(l.label) && <span class="muted"> “{l.label}”</span>}
            <span class={"status-tag " + (l.status ?? "")}>{l.status ?? "–"}</span>
            <span class="muted">{[l.by, l.time_utc ? time(l.time_utc, true) : null].filter(Boolean).join(", ")}</span></li>
        ))}
      </ul>
    </section>
  );
}

/** Every model side by side: what it says by neighbours and by its linear head, how sure, how unusual. */
function Predictions({ of }: { of: Item["predictions"] }) {
  const models = Object.entries(of);
  if (!models.length) return <section><h3>Predictions</h3><p class="note">No model has seen this image. Run</p><code>aqqua predict MODEL DATASET</code></section>;
  return (
    <section>
      <h3>Predictions</h3>
      <div class="models">
        {models.map(([id, p]) => (
          <div key={id} class="model">
            <h4 title={id}>{id}</h4>
            <Guess how="Linear" taxon={p.taxon_linear} sure={p.p_linear} />
            <Guess how="kNN" taxon={p.taxon_knn} sure={p.p_knn} />
            {typeof p.outlier === "number" && <p class="outlier"><span class="muted">Outlier score</span> {field("outlier", Number(p.outlier.toPrecision(3)))}</p>}
          </div>
        ))}
      </div>
    </section>
  );
}

function Guess({ how, taxon, sure }: { how: string; taxon: unknown; sure: unknown }) {
  if (taxon === null || taxon === undefined) return null;
  const share = typeof sure === "number" ? sure : null;
  return (
    <div class="guess" title={`${how}: ${taxon}`}>
      <span class="how">{how}</span><span class="name">{words(String(taxon))}</span><span class="count">{share === null ? "" : percent(share)}</span>
      {share !== null && <span class="meter" aria-hidden="true"><span style={{ transform: `scaleX(${share.toFixed(3)})` }} /></span>}
    </div>
  );
}

/** What is said of the organism's place and picture comes first, what the store needs comes last. */
const FIRST = ["object_id", "sample_id", "acquisition_id", "project", "instrument", "instrument_id", "modality", "time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m", "altitude_m", "volume_l", "subsample_factor", "pixel_um", "width", "height", "channels", "channel_names", "dtype"];
const ELSEWHERE = new Set(["source_path", "source_row"]);

export function inOrder(fields: Record<string, unknown>): [string, unknown][] {
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return Object.entries(fields).filter(([k, v]) => v !== null && v !== undefined && v !== "" && !ELSEWHERE.has(k)).sort((a, b) => place(a[0]) - place(b[0]));
}

function Metadata({ now }: { now: Item }) {
  const entries = inOrder(now.converted);
  const search = useSignal("");
  const wanted = search.value.toLowerCase();
  const raw = Object.entries(now.raw).filter(([k, v]) => !wanted || k.toLowerCase().includes(wanted) || String(v).toLowerCase().includes(wanted));
  return (
    <>
      <section>
        <h3>Metadata</h3>
        <dl class="fields">{entries.map(([k, v]) => <div key={k} title={`${k}${columns.value.get(k)?.doc ? ": " + columns.value.get(k)!.doc : ""}`}><dt>{title(k)}</dt><dd>{field(k, v, columns.value.get(k)?.unit)}</dd></div>)}</dl>
      </section>
      <section>
        <details class="raw">
          <summary>Raw metadata <span class="count">{Object.keys(now.raw).length}</span></summary>
          <label class="search"><Icon name="search" /><input type="search" placeholder="Search names and values" aria-label="Search raw metadata" value={search.value} onInput={(e) => (search.value = e.currentTarget.value)} /></label>
          <dl class="fields verbatim">{raw.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v === null || v === "" ? "–" : String(v)}</dd></div>)}</dl>
          {!raw.length && <p class="note">No field or value has “{search.value}”.</p>}
        </details>
      </section>
      <Source now={now} />
    </>
  );
}

/** Only web addresses become links; a path is shown as it is. */
function Source({ now }: { now: Item }) {
  const { source_path, source_row } = now.converted as Record<string, unknown>;
  const web = now.link && /^https?:\/\//.test(now.link) ? now.link : null;
  if (!web && !source_path) return null;
  return (
    <section class="source">
      <h3>Source</h3>
      {web ? <a href={web} target="_blank" rel="noreferrer noopener"><Icon name="link" />{web}</a> : <span class="path">{String(source_path)}{source_row ? `, row ${source_row}` : ""}</span>}
    </section>
  );
}
