// From a stroke's points to an outline on a canvas. Wire coordinates are tenths of a paper unit: 16000 x 10000.
import { getStroke } from 'perfect-freehand'
import type { Point } from '../bindings/Point'

export const PAPER_WIDTH = 16_000
export const PAPER_HEIGHT = 10_000
/** What a device without pressure reports. */
export const NO_PRESSURE = 128

export interface Line {
  colour: number
  /** Diameter in tenths of a paper unit. */
  size: number
  points: readonly Point[]
}

/** A place in a box of CSS pixels as a point of the paper, on the paper's edge when outside. `pressure` is 0..=1. */
export function toPaper(x: number, y: number, width: number, height: number, pressure: number | null): Point {
  const within = (value: number, most: number): number => Math.round(Math.min(Math.max(value, 0), 1) * most)
  return {
    x: within(x / width, PAPER_WIDTH),
    y: within(y / height, PAPER_HEIGHT),
    pressure: pressure === null ? NO_PRESSURE : within(pressure, 255),
  }
}

export function css(colour: number): string {
  return `#${(colour & 0xffffff).toString(16).padStart(6, '0')}`
}

/** Corner points of the outline, in wire coordinates. The same for the same line on both screens. */
export function outline(line: Line, complete: boolean): number[][] {
  return getStroke(
    line.points.map(({ x, y, pressure }) => [x, y, pressure / 255]),
    {
      size: line.size,
      thinning: 0.5,
      smoothing: 0.5,
      streamline: 0.4,
      simulatePressure: line.points.every(({ pressure }) => pressure === NO_PRESSURE),
      last: complete,
    },
  )
}

export function draw(context: CanvasRenderingContext2D, line: Line, complete: boolean): void {
  const corners = outline(line, complete)
  const first = corners[0]
  if (!first) return
  const path = new Path2D()
  path.moveTo(first[0] ?? 0, first[1] ?? 0)
  // Through the middles of the edges, bent at the corners: the outline has no kinks.
  corners.forEach(([x = 0, y = 0], index) => {
    const [nextX = 0, nextY = 0] = corners[(index + 1) % corners.length] ?? first
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2)
  })
  path.closePath()
  context.fillStyle = css(line.colour)
  context.fill(path)
}
