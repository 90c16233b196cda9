/** How tiles of one shape fill a space best. */

export interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface Arrangement {
  readonly columns: number;
  readonly rows: number;
  readonly tile: Size;
}

/** Between these a tile may be stretched to use the space; the picture inside is cropped, not distorted. */
const WIDEST = 16 / 9;
const NARROWEST = 1;

/** The columns with which `count` tiles in `space`, `gapPx` apart, come out largest. */
export function arrange(count: number, space: Size, gapPx: number): Arrangement {
  let best: Arrangement = { columns: 1, rows: Math.max(1, count), tile: { widthPx: 0, heightPx: 0 } };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tile = largest(
      {
        widthPx: (space.widthPx - gapPx * (columns - 1)) / columns,
        heightPx: (space.heightPx - gapPx * (rows - 1)) / rows,
      },
      // One alone keeps the camera's own shape.
      count === 1 ? WIDEST : NARROWEST,
    );
    if (tile.widthPx * tile.heightPx > best.tile.widthPx * best.tile.heightPx) best = { columns, rows, tile };
  }
  return best;
}

/** The largest size inside a cell whose aspect is between `narrowest` and the widest. */
function largest({ widthPx, heightPx }: Size, narrowest: number): Size {
  if (widthPx <= 0 || heightPx <= 0) return { widthPx: 0, heightPx: 0 };
  const aspect = Math.min(WIDEST, Math.max(narrowest, widthPx / heightPx));
  const width = Math.min(widthPx, heightPx * aspect);
  return { widthPx: Math.floor(width), heightPx: Math.floor(width / aspect) };
}

/** Whether a picture should be cropped to fill its tile; false: shown whole, with bars. */
export function fills(pictureAspect: number, tileAspect: number): boolean {
  const ratio = pictureAspect / tileAspect;
  // Beyond this more than a third of the picture would be cut away.
  return ratio < 1.55 && ratio > 1 / 1.55;
}
