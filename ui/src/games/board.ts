// The board of Gomoku: fifteen lines each way, points named as on a Go board, without the letter I being left out.
export const LINES = 15
export const CELLS = LINES * LINES
export const STARS: readonly number[] = [48, 56, 112, 168, 176]

const WAYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/** Where an arrow leads; null for another key. At an edge it stays. */
export function stepTo(cell: number, key: string): number | null {
  const way = WAYS[key]
  if (!way) return null
  const within = (place: number): number => Math.min(LINES - 1, Math.max(0, place))
  return within(Math.floor(cell / LINES) + way[1]) * LINES + within((cell % LINES) + way[0])
}

export function pointName(cell: number): string {
  return `${'ABCDEFGHIJKLMNO'[cell % LINES] ?? ''}${LINES - Math.floor(cell / LINES)}`
}
