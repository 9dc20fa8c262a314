// The images most like the open one, in a row.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { isAbort } from "./api.ts";
import { thumbSize } from "./layout.ts";
import { remember } from "./rows.ts";
import { api, item, showSimilar } from "./state.ts";
import { nameOf } from "./tooltip.tsx";
import type { Row } from "./types.ts";

const SHOWN = 12;

export function Strip({ uid }: { uid: string }) {
  const rows = useSignal<Row[] | null>(null);
  const none = useSignal("");
  const server = api.value;
  useEffect(() => {
    const running = new AbortController();
    server?.similar([uid], SHOWN, null, running.signal).then((read) => {
      remember(read);
      rows.value = read;
    }, (error) => {
      if (!isAbort(error)) none.value = error instanceof Error ? error.message : String(error);
    });
    return () => running.abort();
  }, [uid, server]);
  return (
    <section>
      <h3>Most similar <button type="button" class="more" onClick={() => showSimilar([uid])}>show all in the grid</button></h3>
      {none.value && <p class="note">{none.value}</p>}
      <div class="strip">
        {(rows.value ?? Array.from({ length: SHOWN }, () => null)).map((row, i) => (row ? <Neighbour key={row.uid} row={row} /> : <span key={i} class="neighbour waiting" />))}
      </div>
    </section>
  );
}

function Neighbour({ row }: { row: Row }) {
  const [w, h] = thumbSize(row.width, row.height, 64);
  const score = row.score === null || row.score === undefined ? "" : row.score.toFixed(3);
  return (
    <button type="button" class="neighbour" title={`${nameOf(row)}${score ? ", similarity " + score : ""}`} onClick={() => (item.value = row.uid)}>
      <img src={api.value!.thumb(row.index)} width={w} height={h} alt={nameOf(row)} loading="lazy" />
      <span class="count">{score}</span>
    </button>
  );
}
