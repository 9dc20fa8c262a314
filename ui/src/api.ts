// The one place that speaks with the server. Every address is relative to the page: nothing leaves this machine.

import { decodePoints, type Points } from "./points.ts";
import type { Expression, Extent, Histogram, Item, Meta, Page, Point, Row, Store } from "./types.ts";

export interface Query {
  filter: Expression | null;
  polygon?: Point[];
}

/** An answer that is no answer, in words for the reader. */
export class ServerError extends Error {
  constructor(readonly status: number, what: string, readonly act: string) {
    super(what);
  }
}

export class Api {
  /** Version of what the server shows: pictures asked for with it are kept by the browser for good. */
  private version = "";

  constructor(readonly store: string) {}

  async meta(): Promise<Meta> {
    const read = await json<Meta>(this.at("meta"));
    this.version = read.version ?? "";
    return read;
  }

  async points(colour: string | null, filter: Expression | null, budget: number, view: Extent | null, signal: AbortSignal): Promise<Points> {
    const [x0, y0, x1, y1] = view ?? [];
    const answer = await ask(this.at("points", { color: colour, filter: filter && JSON.stringify(filter), budget, x0, y0, x1, y1 }), { signal });
    return decodePoints(await answer.arrayBuffer());
  }

  histogram = (column: string, bins: number, query: Query, signal?: AbortSignal) =>
    query.polygon
      ? json<Histogram>(this.at("hist"), post({ column, bins, ...query }, signal))
      : json<Histogram>(this.at("hist", { column, bins, filter: query.filter && JSON.stringify(query.filter) }), { signal });

  query = (query: Query, page: { offset: number; limit: number; sort?: string | null; desc?: boolean }, signal?: AbortSignal) =>
    json<Page>(this.at("query"), post({ ...query, ...page }, signal));

  brief = (indices: number[], signal?: AbortSignal) =>
    json<{ rows: Row[] }>(this.at("brief", { indices: indices.join(",") }), { signal }).then((page) => page.rows);

  similar = (uids: string[], k: number, filter: Expression | null, signal?: AbortSignal) =>
    json<Row[]>(this.at("similar"), post({ uids, k, filter }, signal));

  item = (uid: string, signal?: AbortSignal) => json<Item>(this.at(`item/${uid}`), { signal });

  image = (uid: string, channel?: string) => this.at(`image/${uid}.png`, { channel, v: this.version });

  thumb = (index: number) => this.at(`thumb/${index}.jpg`, { v: this.version });

  sprite = (indices: number[]) => this.at("sprite", { ids: indices.join(","), v: this.version });

  async export(body: Query & { to: string; uids?: string[] }): Promise<{ blob: Blob; name: string }> {
    const answer = await ask(this.at("export"), post(body));
    const named = /filename="?([^";]+)"?/.exec(answer.headers.get("content-disposition") ?? "");
    return { blob: await answer.blob(), name: named ? named[1] : `selection.${body.to === "csv" ? "csv" : "zip"}` };
  }

  private at(path: string, query: Record<string, string | number | null | undefined> = {}): string {
    const out = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      if (value !== null && value !== undefined && value !== "") out.set(name, String(value));
    const text = out.toString();
    return `api/v1/${encodeURIComponent(this.store)}/${path}${text ? "?" + text : ""}`;
  }
}

export const stores = () => json<Store[]>("api/v1/stores");
export const maps = () => json<{ name: string }[]>("api/v1/maps");

function post(body: unknown, signal?: AbortSignal): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal };
}

async function json<T>(url: string, init?: RequestInit): Promise<T> {
  return (await ask(url, init)).json() as Promise<T>;
}

async function ask(url: string, init?: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, init);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ServerError(0, "The server does not answer.", "Is aqqua explore still running? Start it again, then retry.");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer: Response): Promise<ServerError> {
  const read = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const inner = [read.error, read.detail, read].find((v) => typeof v === "object" && v !== null) as Record<string, unknown>;
  const what = [inner.what, read.detail, read.error].find((v) => typeof v === "string");
  return new ServerError(answer.status, sentence(String(what ?? `the server refused (${answer.status})`)), typeof inner.do === "string" ? sentence(inner.do) : "");
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".");
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
