// Draws marks onto a canvas whose units are wire coordinates: tenths of a paper unit, 16000 x 10000. What a mark covers is said
// by ink.ts and fill.ts, so that crates/canvas/src/raster.rs covers the same.
import type { OpKind } from '../bindings/OpKind'
import type { Fill } from '../bindings/Fill'
import type { Point } from '../bindings/Point'
import type { Shape } from '../bindings/Shape'
import type { Stroke } from '../bindings/Stroke'
import { css, PAPER_HEIGHT, PAPER_WIDTH } from './geometry'
import { spans } from './fill'
import { chain, outline, type Sample } from './ink'

type Context = CanvasRenderingContext2D

/** Wire units in a cell of a fill. */
const CELL = 10

/** A context in wire units over the whole of its canvas. */
export function onPaper(canvas: HTMLCanvasElement, often = false): Context | null {
  const context = canvas.getContext('2d', often ? { willReadFrequently: true } : undefined)
  context?.setTransform(canvas.width / PAPER_WIDTH, 0, 0, canvas.height / PAPER_HEIGHT, 0, 0)
  return context
}

export function wipe(context: Context): void {
  context.clearRect(0, 0, PAPER_WIDTH, PAPER_HEIGHT)
}

/** Draws what is shown, in order: a clear wipes. */
export function draw(context: Context, kind: OpKind): void {
  for (const part of parts(kind)) part(context)
}

/** A mark in parts of bounded work, to be drawn in order. */
export function* parts(kind: OpKind): Generator<(context: Context) => void, undefined> {
  if (kind === 'clear') yield wipe
  else if ('stroke' in kind) yield* strokeParts(kind.stroke)
  else if ('shape' in kind) yield (context) => shape(context, kind.shape)
  else if ('fill' in kind) yield (context) => fill(context, kind.fill)
}

/** Points in one path, and the way between them. What a path of many overlapping pieces costs grows faster than they do. */
const PART_POINTS = 48
const PART_LENGTH = 32_000

/** How far from this point on a part goes: to the number of a point, at least two further. */
function partEnd(points: readonly Point[], from: number): number {
  let [to, length] = [from, 0]
  while (to < points.length && (to < from + 2 || (to < from + PART_POINTS && length < PART_LENGTH))) {
    const [a, b] = [points[to], points[to + 1]]
    if (a && b) length += Math.hypot(b.x - a.x, b.y - a.y)
    to += 1
  }
  // The chain needs two more points to end there; so short a rest is drawn with what comes before it.
  return points.length - to < 4 ? points.length : to
}

function* strokeParts({ colour, size, points }: Stroke): Generator<(context: Context) => void, undefined> {
  for (let from = 0, to = 0; to < points.length; from = to) {
    to = partEnd(points, from)
    const last = to === points.length
    // The chain goes on where the one before it ended: in the middle between two points.
    const before = Math.max(0, from - 2)
    const samples = chain(points.slice(before, last ? undefined : to + 2), size, from - before, !last)
    yield (context) => {
      if (colour === null) context.globalCompositeOperation = 'destination-out'
      cover(context, samples, css(colour ?? 0))
      context.globalCompositeOperation = 'source-over'
    }
  }
}

/** Covers the area of a chain with a colour. */
export function cover(context: Context, samples: readonly Sample[], style: string): void {
  if (samples.length === 0) return
  context.fillStyle = style
  context.beginPath()
  outline(context, samples)
  context.fill('nonzero')
}

export function shape(context: Context, { form, colour, size, from, to }: Shape): void {
  context.strokeStyle = css(colour)
  context.lineWidth = size
  context.lineCap = 'round'
  context.lineJoin = 'round'
  context.beginPath()
  const [width, height] = [to.x - from.x, to.y - from.y]
  // A box without width or height is a line, and a line without length, which a canvas does not stroke, is a dot.
  if (width === 0 && height === 0) {
    context.fillStyle = css(colour)
    context.arc(from.x, from.y, size / 2, 0, 2 * Math.PI)
    context.fill()
    return
  }
  if (form === 'line' || width === 0 || height === 0) {
    context.moveTo(from.x, from.y)
    context.lineTo(to.x, to.y)
  } else if (form === 'rectangle') context.rect(from.x, from.y, width, height)
  else context.ellipse(from.x + width / 2, from.y + height / 2, Math.abs(width) / 2, Math.abs(height) / 2, 0, 0, 2 * Math.PI)
  context.stroke()
}

let scratch: HTMLCanvasElement | null = null

/** Cells become pixels of a picture of their own, which is scaled onto the paper: no seams, and soft rims. */
function fill(context: Context, given: Fill): void {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0]
  for (const [column, row, length] of spans(given)) {
    left = Math.min(left, column)
    top = Math.min(top, row)
    right = Math.max(right, column + length)
    bottom = row + 1
  }
  if (right <= left) return
  const [width, height] = [right - left, bottom - top]
  const cells = new ImageData(width, height)
  const colour = new DataView(new ArrayBuffer(4))
  colour.setUint32(0, ((given.colour << 8) | 0xff) >>> 0)
  const pixels = new Uint32Array(cells.data.buffer)
  const pixel = new Uint32Array(colour.buffer)[0] ?? 0
  for (const [column, row, length] of spans(given)) {
    const at = (row - top) * width + column - left
    pixels.fill(pixel, at, at + length)
  }
  scratch ??= document.createElement('canvas')
  scratch.width = width
  scratch.height = height
  scratch.getContext('2d')?.putImageData(cells, 0, 0)
  context.drawImage(scratch, 0, 0, width, height, left * CELL, top * CELL, width * CELL, height * CELL)
}
