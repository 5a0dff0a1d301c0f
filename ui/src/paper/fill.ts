// Flood fill: which cells of one square paper unit have about the colour of the cell that was pressed and hang together with it.
// The outcome is sent, not the press, so that the other side needs no equal picture to fill the same.
import type { Fill } from '../bindings/Fill'
import type { Run } from '../bindings/Run'

export const CELL_COLUMNS = 1600
export const CELL_ROWS = 1000
/** What one operation may have. */
export const MOST_RUNS = 8000
/** Largest difference of a colour channel that still counts as the same: the pale rim of a line does not. */
const TOLERANCE = 72

/** RGBA, row by row, `CELL_COLUMNS` x `CELL_ROWS`; where it is transparent the sheet shows. */
export type Cells = Uint8ClampedArray

/** What is covered when the paper is filled from a cell, and a cell beyond, so that no pale line stays along the rim. */
export function flood(cells: Cells, sheet: readonly [number, number, number], column: number, row: number): Uint8Array {
  const [width, height] = [CELL_COLUMNS, CELL_ROWS]
  const seen = (at: number, channel: number): number => {
    const alpha = cells[at * 4 + 3] ?? 0
    return ((cells[at * 4 + channel] ?? 0) * alpha + (sheet[channel] ?? 0) * (255 - alpha)) / 255
  }
  const from = row * width + column
  const wanted = [seen(from, 0), seen(from, 1), seen(from, 2)] as const
  const same = (at: number): boolean =>
    Math.abs(seen(at, 0) - wanted[0]) <= TOLERANCE &&
    Math.abs(seen(at, 1) - wanted[1]) <= TOLERANCE &&
    Math.abs(seen(at, 2) - wanted[2]) <= TOLERANCE
  const inside = new Uint8Array(width * height)
  const open = [from]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (inside[at]) continue
    const begin = at - (at % width)
    let left = at
    while (left > begin && !inside[left - 1] && same(left - 1)) left -= 1
    let right = at
    while (right < begin + width - 1 && !inside[right + 1] && same(right + 1)) right += 1
    inside.fill(1, left, right + 1)
    for (const beside of [left - width, left + width]) {
      if (beside < 0 || beside >= width * height) continue
      // One start for each stretch: the rest of it is found from there.
      let within = false
      for (let next = beside; next <= beside + right - left; next += 1) {
        const starts = !inside[next] && same(next)
        if (starts && !within) open.push(next)
        within = starts
      }
    }
  }
  return widened(inside, width, height)
}

function widened(inside: Uint8Array, width: number, height: number): Uint8Array {
  const wider = new Uint8Array(inside)
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, at += 1) {
      if (!inside[at]) continue
      if (column > 0) wider[at - 1] = 1
      if (column < width - 1) wider[at + 1] = 1
      if (row > 0) wider[at - width] = 1
      if (row < height - 1) wider[at + width] = 1
    }
  }
  return wider
}

/** The covered cells as runs; what is finer than the limit allows is smoothed away. */
export function runsOf(inside: Uint8Array): Run[] {
  for (let coarse = 0; ; coarse = coarse * 2 + 1) {
    const runs = gather(inside, coarse)
    if (runs.length <= MOST_RUNS) return runs
  }
}

/** Gaps and runs of up to `coarse` cells do not count. */
function gather(inside: Uint8Array, coarse: number): Run[] {
  const runs: Run[] = []
  let end = 0
  for (let row = 0; row < CELL_ROWS; row += 1) {
    const last = (row + 1) * CELL_COLUMNS
    for (let at = row * CELL_COLUMNS; at < last; at += 1) {
      if (!inside[at]) continue
      const start = at
      let until = at + 1
      for (let gap = 0; at < last && gap <= coarse; at += 1) {
        if (inside[at]) {
          until = at + 1
          gap = 0
        } else gap += 1
      }
      at -= 1
      if (until - start <= coarse) continue
      runs.push([start - end, until - start])
      end = until
    }
  }
  return runs
}

/** Each run as column, row and length; the counterpart of `cells` in crates/wire/src/paper.rs. */
export function* spans(fill: Fill): Generator<readonly [number, number, number]> {
  let at = 0
  for (const [gap, length] of fill.runs) {
    at += gap
    yield [at % CELL_COLUMNS, Math.floor(at / CELL_COLUMNS), length]
    at += length
  }
}
