// Numbers, lengths, times and positions as a scientist reads them.

const THIN = "\u202f";
const MINUS = "\u2212";

/** 1234567 → "1 234 567" with thin spaces (unambiguous in every language). */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

export function plural(n: number, one: string, many = one + "s"): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** About `digits` significant digits, no exponent between 10⁻⁴ and 10⁶, true minus sign. */
export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
    const [lead, power] = value.toExponential(Math.max(0, digits - 2)).split("e");
    return `${Number(lead)}${THIN}×${THIN}10${superscript(Number(power))}`.replace("-", MINUS);
  }
  if (Number.isInteger(value)) return size >= 1e4 ? (value < 0 ? MINUS : "") + count(size) : String(value).replace("-", MINUS);
  const decimals = size === 0 ? 0 : Math.max(0, Math.min(6, digits - 1 - Math.floor(Math.log10(size))));
  return String(Number(value.toFixed(decimals))).replace("-", MINUS);
}

function superscript(n: number): string {
  return String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]));
}

/** A length given in µm, in the unit people would say: nm, µm, mm, cm. */
export function length(um: number, digits = 3): string {
  const [factor, unit] = lengthUnit(um);
  return `${number(um / factor, digits)}${THIN}${unit}`;
}

export function lengthUnit(um: number): [factor: number, unit: string] {
  if (um < 0.5) return [1e-3, "nm"];
  if (um < 1000) return [1, "µm"];
  if (um < 1e5) return [1e3, "mm"];
  return [1e4, "cm"];
}

/** Width × height in one common unit: "1.2 × 0.8 mm". */
export function area(widthUm: number, heightUm: number): string {
  const [factor, unit] = lengthUnit(Math.max(widthUm, heightUm));
  return `${number(widthUm / factor, 3)}${THIN}×${THIN}${number(heightUm / factor, 3)}${THIN}${unit}`;
}

export function millis(value: unknown): number {
  if (typeof value === "number") return value;
  const text = String(value);
  return Date.parse(/([zZ]|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text.replace(" ", "T")}${text.length > 10 ? "Z" : ""}`);
}

/** "2014-05-31 12:04:33 UTC"; by day only where `day`. */
export function time(value: unknown, day = false): string {
  const ms = millis(value);
  if (!Number.isFinite(ms)) return "–";
  const text = new Date(ms).toISOString();
  return day ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

export function position(degrees: number, positive: string, negative: string): string {
  return `${Math.abs(degrees).toFixed(4)}°${THIN}${degrees < 0 ? negative : positive}`;
}

/** "calanoid_copepod" → "calanoid copepod": labels are shown as words, kept as they are in data. */
export function words(label: string): string {
  return label.replace(/_+/g, " ").trim();
}

/** Columns whose values are names of organisms: underscores in them are spaces. */
const NAMES = new Set(["label", "taxon", "taxon_linear", "taxon_knn", "cluster"]);

/** One value of a category column, for the eye. */
export function category(column: string, value: unknown): string {
  return NAMES.has(column) ? words(String(value)) : String(value);
}

/** Value of a metadata field with its unit, from the field's name where the server gives none. */
export function field(name: string, value: unknown, unit?: string | null): string {
  if (value === null || value === undefined || value === "") return "–";
  if (name === "latitude") return position(Number(value), "N", "S");
  if (name === "longitude") return position(Number(value), "E", "W");
  if (name.endsWith("_utc")) return time(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (name === "longest_side_um") return length(value);
  const of = unitOf({ name, unit });
  return number(value, 5) + (of ? `${THIN}${of}` : "");
}

const SUFFIXES: Record<string, string> = { um: "µm", m: "m", l: "L", nm: "nm", mm: "mm" };

/** The unit of a column, from its name where the server gives none. */
export function unitOf({ name, unit }: { name: string; unit?: string | null }): string {
  if (unit === "1") return "";
  if (unit) return unit.replace(/^um\b/, "µm");
  if (name === "width" || name === "height") return "px";
  return SUFFIXES[name.split("_").pop() ?? ""] ?? "";
}

const TITLES: Record<string, string> = {
  time_utc: "Time",
  pixel_um: "Pixel size",
  longest_side_um: "Size",
  depth_min_m: "Depth (top)",
  depth_max_m: "Depth (bottom)",
  altitude_m: "Altitude",
  volume_l: "Volume",
  label: "Label",
  taxon: "Taxon",
  label_status: "Label status",
  taxon_knn: "Predicted taxon (kNN)",
  p_knn: "Confidence (kNN)",
  taxon_linear: "Predicted taxon (linear)",
  p_linear: "Confidence (linear)",
  outlier: "Outlier score",
  object_id: "Object",
  sample_id: "Sample",
  acquisition_id: "Acquisition",
  instrument_id: "Instrument serial",
  xxh3: "Pixel hash (xxh3)",
  nbytes: "Raw bytes",
  dtype: "Pixel type",
};

/** A column's name for the eye; the exact name stays in the tooltip. */
export function title(name: string): string {
  const known = TITLES[name];
  if (known) return known;
  const plain = words(name);
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** A share as whole percent, never 0 % or 100 % where it is not. */
export function percent(share: number): string {
  const whole = Math.round(share * 100);
  if (whole === 100 && share < 1) return `>99${THIN}%`;
  if (whole === 0 && share > 0) return `<1${THIN}%`;
  return `${whole}${THIN}%`;
}
