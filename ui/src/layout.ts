// The virtual image grid: which cells are near the window, and where.

export interface Grid {
  columns: number;
  /** Edge of a picture and height of a row, CSS pixels. */
  cell: number;
  row: number;
  gap: number;
  count: number;
}

export function layOut(width: number, count: number, cell: number, caption: number, gap: number): Grid {
  const columns = Math.max(2, Math.round((width + gap) / (cell + gap)));
  const side = Math.max(24, Math.floor((width - gap * (columns - 1)) / columns));
  return { columns, cell: side, row: side + caption + gap, gap, count };
}

export function gridHeight(grid: Grid): number {
  return Math.max(0, Math.ceil(grid.count / grid.columns) * grid.row - grid.gap);
}

/** First cell and the one after the last within the window, with `over` more rows on both sides. */
export function cellsIn(grid: Grid, top: number, height: number, over = 2): [first: number, last: number] {
  const from = Math.max(0, Math.floor(top / grid.row) - over);
  const to = Math.ceil((top + height) / grid.row) + over;
  return [Math.min(grid.count, from * grid.columns), Math.min(grid.count, Math.max(0, to) * grid.columns)];
}

export function cellAt(grid: Grid, i: number): [left: number, top: number] {
  return [(i % grid.columns) * (grid.cell + grid.gap), Math.floor(i / grid.columns) * grid.row];
}

/** Scroll position that brings cell `i` wholly into the window with the least movement. */
export function reveal(grid: Grid, i: number, top: number, height: number): number {
  const y = cellAt(grid, i)[1];
  if (y < top) return y;
  return y + grid.row > top + height ? y + grid.row - height : top;
}

/** Where an arrow key leads from cell `i`. */
export function step(grid: Grid, i: number, key: string): number {
  const page = grid.columns * 4;
  const by: Record<string, number> = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns, PageUp: -page, PageDown: page,
    Home: -grid.count, End: grid.count,
  };
  return Math.max(0, Math.min(grid.count - 1, i + (by[key] ?? 0)));
}

/** A thumbnail in its sprite cell: never enlarged, long side at most `side`. */
export function thumbSize(width: number, height: number, side = 96): [number, number] {
  const shrink = Math.min(1, side / Math.max(width, height, 1));
  return [Math.max(1, Math.round(width * shrink)), Math.max(1, Math.round(height * shrink))];
}

/** Screen pixels per µm at which nine of ten images fit their cell; the rest are shown smaller. */
export function trueScale(longSidesUm: readonly number[], cell: number): number {
  const sorted = longSidesUm.filter((v) => v > 0).sort((a, b) => a - b);
  if (!sorted.length) return 0;
  return cell / sorted[Math.min(sorted.length - 1, Math.floor(0.9 * sorted.length))];
}
