// Cluster names on the map: the largest clusters first, none over another.

export interface Name {
  /** Anchor (centre of the cluster) on screen. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Placed {
  /** Which of the names. */
  at: number;
  /** Left and top of its box. */
  left: number;
  top: number;
}

/** Where a name may stand, in its own widths and heights from the centre: above it, so as not to hide what it names. */
const SHIFTS: readonly [number, number][] = [[0, -1.2], [0, 0], [0, 1.2], [0, -2], [0, 2]];

/** Places names in the order given (most important first); one that finds no room is left out. */
export function placeNames(names: readonly Name[], width: number, height: number, gap = 4): Placed[] {
  const placed: Placed[] = [];
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    for (const [sx, sy] of SHIFTS) {
      const left = name.x - name.width / 2 + sx * name.width;
      const top = name.y - name.height / 2 + sy * name.height;
      if (left < gap || top < gap || left + name.width > width - gap || top + name.height > height - gap) continue;
      if (placed.some((p) => overlap(left, top, name, p, names[p.at], gap))) continue;
      placed.push({ at, left, top });
      break;
    }
  }
  return placed;
}

function overlap(left: number, top: number, name: Name, other: Placed, size: Name, gap: number): boolean {
  return (
    left < other.left + size.width + gap && other.left < left + name.width + gap &&
    top < other.top + size.height + gap && other.top < top + name.height + gap
  );
}
