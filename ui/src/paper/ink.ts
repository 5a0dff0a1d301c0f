// From a stroke's points to the area it covers: the twin of crates/canvas/src/ink.rs, step by step, so that the page, the
// exported picture and the other side's page agree. Only sums, products, quotients and square roots are used, which every
// machine rounds alike; crates/canvas/tests/ink.json holds strokes with the corners that both must come to.
//
// 1. The points bend a chain of parabolas from middle to middle; the pressure of a point sets its radius.
// 2. The chain is cut into straight pieces, as many as its bend needs.
// 3. A piece covers a quadrilateral between its two radii. A disc closes both ends and every sharp corner, a triangle every
//    blunt one. All of them turn the same way round, so that one fill by the non-zero rule covers their union.
import type { Point } from '../bindings/Point'

export interface Sample {
  x: number
  y: number
  radius: number
}

/** Tenths of a paper unit by which a piece may miss the parabola, times four. */
const BEND = 10
const MOST_PIECES = 16
/** Cosine of the turn from which on a corner is round. */
const SHARP = 0.94
const CORNERS = 32

/** Unit vectors of a regular polygon, by turning on and on. */
const ROUND: readonly (readonly [number, number])[] = (() => {
  const [cos, sin] = [0.9807852804032304, 0.19509032201612825]
  const corners: [number, number][] = [[1, 0]]
  for (let index = 1; index < CORNERS; index += 1) {
    const [x, y] = corners[index - 1] ?? [1, 0]
    corners.push([x * cos - y * sin, x * sin + y * cos])
  }
  return corners
})()

export function radius(size: number, pressure: number): number {
  return (size / 2) * (0.4 + (0.6 * pressure) / 128)
}

const sampleOf = ({ x, y, pressure }: Point, size: number): Sample => ({ x, y, radius: radius(size, pressure) })
const middle = (a: Sample, b: Sample): Sample => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, radius: (a.radius + b.radius) / 2 })

/**
 * The chain of a stroke. With `from` only the parabolas around the points from that one on (an inner point, at least 1), beginning
 * where the one before it ends; with `open` without the last, which the next point will bend anew.
 */
export function chain(points: readonly Point[], size: number, from = 1, open = false): Sample[] {
  const count = points.length
  const first = points[0]
  const last = points[count - 1]
  if (!first || !last) return []
  const at = (index: number): Sample => sampleOf(points[index] ?? last, size)
  if (count < 3) {
    if (open) return []
    return count === 1 ? [sampleOf(first, size)] : [sampleOf(first, size), sampleOf(last, size)]
  }
  let start = from <= 1 ? at(0) : middle(at(from - 1), at(from))
  const samples = [start]
  const until = open ? count - 2 : count - 1
  for (let index = Math.max(from, 1); index < until; index += 1) {
    const bend = at(index)
    const next = at(index + 1)
    const end = index === count - 2 ? next : middle(bend, next)
    const off = Math.abs(start.x - 2 * bend.x + end.x) + Math.abs(start.y - 2 * bend.y + end.y)
    let pieces = 1
    while (pieces < MOST_PIECES && pieces * pieces * BEND < off) pieces += 1
    for (let piece = 1; piece <= pieces; piece += 1) {
      const t = piece / pieces
      const [a, b, c] = [(1 - t) * (1 - t), 2 * (1 - t) * t, t * t]
      samples.push({
        x: a * start.x + b * bend.x + c * end.x,
        y: a * start.y + b * bend.y + c * end.y,
        radius: a * start.radius + b * bend.radius + c * end.radius,
      })
    }
    start = end
  }
  return samples
}

/** Where corners go; a canvas context is one. */
export interface Outline {
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  closePath(): void
}

function disc(to: Outline, { x, y, radius }: Sample): void {
  const step = radius < 40 ? 4 : radius < 160 ? 2 : 1
  for (let index = 0; index < CORNERS; index += step) {
    const [cos, sin] = ROUND[index] ?? [1, 0]
    if (index === 0) to.moveTo(x + cos * radius, y + sin * radius)
    else to.lineTo(x + cos * radius, y + sin * radius)
  }
  to.closePath()
}

/** The outlines of everything that a chain covers. */
export function outline(to: Outline, samples: readonly Sample[]): void {
  let before: { x: number; y: number } | null = null
  let last = samples[0]
  if (!last) return
  disc(to, last)
  for (const sample of samples.slice(1)) {
    const [dx, dy] = [sample.x - last.x, sample.y - last.y]
    const length = Math.sqrt(dx * dx + dy * dy)
    if (length === 0) {
      if (sample.radius > last.radius) disc(to, sample)
      last = sample
      continue
    }
    const side = { x: -dy / length, y: dx / length }
    if (before) corner(to, last, before, side)
    to.moveTo(last.x - side.x * last.radius, last.y - side.y * last.radius)
    to.lineTo(sample.x - side.x * sample.radius, sample.y - side.y * sample.radius)
    to.lineTo(sample.x + side.x * sample.radius, sample.y + side.y * sample.radius)
    to.lineTo(last.x + side.x * last.radius, last.y + side.y * last.radius)
    to.closePath()
    before = side
    last = sample
  }
  if (samples.length > 1) disc(to, last)
}

function corner(to: Outline, at: Sample, before: { x: number; y: number }, after: { x: number; y: number }): void {
  if (before.x * after.x + before.y * after.y < SHARP) {
    disc(to, at)
    return
  }
  const turn = before.x * after.y - before.y * after.x
  if (turn === 0) return
  // The gap is on the outer side; its corners are named in the turning direction of the quadrilaterals.
  const out = turn > 0 ? -at.radius : at.radius
  const [a, b] = turn > 0 ? [before, after] : [after, before]
  to.moveTo(at.x, at.y)
  to.lineTo(at.x + a.x * out, at.y + a.y * out)
  to.lineTo(at.x + b.x * out, at.y + b.y * out)
  to.closePath()
}
