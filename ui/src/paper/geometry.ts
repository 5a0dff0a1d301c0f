// Places in the page and places on the paper. Wire coordinates are tenths of a paper unit: 16000 x 10000.
import type { Place } from '../bindings/Place'

export const PAPER_WIDTH = 16_000
export const PAPER_HEIGHT = 10_000

/** A place in a box of CSS pixels as one of the paper, on the paper's edge when outside. */
export function toPaper(x: number, y: number, width: number, height: number): Place {
  const within = (value: number, most: number): number => Math.round(Math.min(Math.max(value, 0), 1) * most)
  return { x: within(x / width, PAPER_WIDTH), y: within(y / height, PAPER_HEIGHT) }
}

export function css(colour: number): string {
  return `#${(colour & 0xffffff).toString(16).padStart(6, '0')}`
}

/** The corner that makes a square, a circle, or a line of a multiple of 45 degrees; still on the paper. */
export function squared(from: Place, to: Place, line: boolean): Place {
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const [wide, high] = [Math.abs(dx), Math.abs(dy)]
  if (line && wide > 2.4 * high) return { x: to.x, y: from.y }
  if (line && high > 2.4 * wide) return { x: from.x, y: to.y }
  const room = (start: number, step: number, most: number): number => (step < 0 ? start : most - start)
  const side = Math.min(Math.max(wide, high), room(from.x, dx, PAPER_WIDTH), room(from.y, dy, PAPER_HEIGHT))
  return { x: from.x + (dx < 0 ? -side : side), y: from.y + (dy < 0 ? -side : side) }
}
