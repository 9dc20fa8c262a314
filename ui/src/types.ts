// What the server sends, as the front end reads it (HTTP API v1).

export type Kind = "category" | "number" | "time";

export interface Column {
  /** Heading it is filed under, for example "place and time". */
  group?: string;
  /** Number of different values. */
  distinct?: number;
  name: string;
  kind: Kind;
  doc?: string | null;
  unit?: string | null;
  /** Categories only: value and count, most frequent first (at most 200). */
  values?: [string | number | boolean, number][] | null;
  /** Numbers as they are; times as ISO text or milliseconds. */
  min?: number | string | null;
  max?: number | string | null;
  missing?: number;
}

export interface Cluster {
  id: number;
  label: string;
  n: number;
  x: number;
  y: number;
  color_index?: number | null;
  /** Share of its named images that bear the label. */
  share?: number | null;
}

export type Extent = [x0: number, y0: number, x1: number, y1: number];
export type Point = [x: number, y: number];

export interface Store {
  store: string;
  title: string;
  n: number;
  models: string[];
}

export interface Meta {
  title: string;
  n: number;
  version?: string;
  model: string | null;
  /** A sentence to show, for example that there are no predictions yet. */
  note?: string | null;
  models: string[];
  columns: Column[];
  extent: Extent;
  clusters: Cluster[];
  card?: Record<string, unknown>;
}

/** One image in short: what the grid and the tooltip show. */
export interface Row {
  index: number;
  uid: string;
  width: number;
  height: number;
  pixel_um?: number | null;
  longest_side_um?: number | null;
  taxon?: string | null;
  label?: string | null;
  label_status?: string | null;
  taxon_linear?: string | null;
  p_linear?: number | null;
  taxon_knn?: string | null;
  p_knn?: number | null;
  instrument?: string | null;
  time_utc?: string | number | null;
  depth_min_m?: number | null;
  depth_max_m?: number | null;
  outlier?: number | null;
  score?: number | null;
}

export interface Page {
  total: number;
  rows: Row[];
}

export interface Histogram {
  column: string;
  kind: Kind;
  values?: [string | number | boolean, number][];
  counts?: number[];
  edges?: (number | string)[];
  total: number;
  missing?: number;
  /** Categories: images with a value beyond the listed ones. */
  other?: number;
}

export interface Label {
  label?: string | null;
  taxon?: string | null;
  status?: string | null;
  by?: string | null;
  time_utc?: string | null;
}

export interface Item {
  uid: string;
  index: number;
  converted: Record<string, unknown>;
  raw: Record<string, unknown>;
  labels: Label[];
  predictions: Record<string, Record<string, unknown>>;
  x?: number;
  y?: number;
  channels?: string[];
  thumb?: string;
  image?: string;
  link?: string | null;
}

export type Expression =
  | { and: Expression[] }
  | { or: Expression[] }
  | { not: Expression }
  | { in: [string, (string | number | boolean)[]] }
  | { range: [string, number | string | null, number | string | null] }
  | { missing: string };
