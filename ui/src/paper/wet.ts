// Ink that is not committed yet, above the committed marks. What is settled of a stroke is drawn once; its end, shapes being
// dragged, ink that fades and the other's cursor are drawn anew each frame on a layer of their own, of which only the part that
// was drawn on is wiped.
import type { Point } from '../bindings/Point'
import { css, PAPER_HEIGHT, PAPER_WIDTH } from './geometry'
import { chain } from './ink'
import { cover, onPaper, shape, wipe } from './marks'
import { FADES_AFTER_MS, GONE_AFTER_MS, type PaperModel, type WetStroke } from './model'

/**
 * Ink that fades is drawn anew each frame, so all of it together is at most so many points, and covers at most so much, in areas
 * of the sheet. Its oldest points go first. A fast hand has not covered half a sheet when its ink fades.
 */
const FADING_POINTS = 800
const FADING_SHEETS = 1.5
const CURSOR_STAYS_MS = 2500
const CURSOR_RADIUS = 70

/** The last points of one of so many strokes that fade. */
function newest(points: readonly Point[], size: number, strokes: number): Point[] {
  const most = (FADING_SHEETS * PAPER_WIDTH * PAPER_HEIGHT) / size / strokes
  let [from, length] = [points.length - 1, 0]
  while (from > 0 && length < most && points.length - from < FADING_POINTS / strokes) {
    const [a, b] = [points[from - 1], points[from]]
    if (a && b) length += Math.hypot(b.x - a.x, b.y - a.y)
    from -= 1
  }
  return points.slice(from)
}

/** A blank layer is left out of the page: without a graphics card all of it would be mixed in at each frame of the pictures. */
function show(canvas: HTMLCanvasElement, inked: boolean): void {
  // It still hears of the pointer.
  const opacity = inked ? '1' : '0'
  if (canvas.style.opacity !== opacity) canvas.style.opacity = opacity
}

export class WetLayers {
  #settled = false
  #drawn: [number, number, number, number] | null = null

  constructor(
    private readonly wet: HTMLCanvasElement,
    private readonly top: HTMLCanvasElement,
    private readonly model: PaperModel,
    /** The colour that rubbing out shows. */
    private readonly sheet: () => string,
  ) {}

  /** What is drawn has to be drawn anew. */
  reset(): void {
    for (const wet of this.model.wet()) if (wet.kind === 'stroke') wet.settled = 0
    const context = this.#settled ? onPaper(this.wet) : null
    if (context) wipe(context)
    this.#settled = false
  }

  /** `true` while something moves by itself. `tail` are points that the pen is thought to reach. */
  paint(now: number, tail: readonly Point[], tailOf: number | null): boolean {
    const wet = onPaper(this.wet)
    const top = onPaper(this.top)
    if (!wet || !top) return false
    if (this.#drawn) top.clearRect(...this.#drawn)
    this.#drawn = null
    let moves = false
    const fading = this.model.wet().filter((wet) => wet.kind === 'stroke' && wet.ink.fades).length
    for (const [id, stroke] of this.model.wetById()) {
      if (stroke.kind === 'shape') {
        shape(top, stroke.shape)
        const { from, to, size } = stroke.shape
        this.#touch(from.x, from.y, size)
        this.#touch(to.x, to.y, size)
        moves = true
        continue
      }
      const points = stroke.points.filter((point) => point !== undefined)
      if (stroke.ink.fades) this.#fading(top, stroke, newest(points, stroke.ink.size, fading), now)
      else this.#stroke(wet, top, stroke, points, id === tailOf ? tail : [])
      moves = true
    }
    moves = this.#cursor(top, now) || moves
    show(this.wet, this.#settled)
    show(this.top, this.#drawn !== null)
    return moves
  }

  #stroke(wet: CanvasRenderingContext2D, top: CanvasRenderingContext2D, stroke: WetStroke, points: Point[], tail: readonly Point[]): void {
    const { colour, size } = stroke.ink
    const style = colour === null ? this.sheet() : css(colour)
    // Up to here no further point bends the parabolas any more.
    const until = points.length - 2
    if (until > stroke.settled) {
      cover(wet, chain(points, size, Math.max(1, stroke.settled), true), style)
      stroke.settled = until
      this.#settled = true
    }
    const all = [...points, ...tail]
    cover(top, chain(all, size, Math.max(1, until)), style)
    for (const { x, y } of all.slice(Math.max(0, until - 1))) this.#touch(x, y, size)
  }

  #fading(top: CanvasRenderingContext2D, stroke: WetStroke, points: Point[], now: number): void {
    const gone = (now - stroke.touched - FADES_AFTER_MS) / (GONE_AFTER_MS - FADES_AFTER_MS)
    top.globalAlpha = 0.75 * Math.min(Math.max(1 - gone, 0), 1)
    cover(top, chain(points, stroke.ink.size), css(stroke.ink.colour ?? 0))
    top.globalAlpha = 1
    for (const { x, y } of points) this.#touch(x, y, stroke.ink.size)
  }

  /** A soft mark where the other is; it goes when nothing was heard for a while. */
  #cursor(top: CanvasRenderingContext2D, now: number): boolean {
    const cursor = this.model.cursor
    const age = cursor ? now - cursor.at : CURSOR_STAYS_MS
    if (!cursor || age >= CURSOR_STAYS_MS) return false
    top.globalAlpha = Math.min(1, (CURSOR_STAYS_MS - age) / 600)
    top.beginPath()
    top.arc(cursor.x, cursor.y, CURSOR_RADIUS, 0, 2 * Math.PI)
    top.fillStyle = 'rgb(178 58 34 / 18%)'
    top.fill()
    top.strokeStyle = 'rgb(178 58 34 / 70%)'
    top.lineWidth = 18
    top.stroke()
    top.globalAlpha = 1
    this.#touch(cursor.x, cursor.y, CURSOR_RADIUS * 2 + 40)
    return true
  }

  /** Widens the part that was drawn on by a brush of this size. */
  #touch(x: number, y: number, size: number): void {
    const [left, top, width, height] = this.#drawn ?? [x, y, 0, 0]
    // Brushes pressed hard are wider than their size, and rims are blended over a pixel or two.
    const reach = size + 60
    const newLeft = Math.max(0, Math.min(left, x - reach))
    const newTop = Math.max(0, Math.min(top, y - reach))
    this.#drawn = [
      newLeft,
      newTop,
      Math.min(PAPER_WIDTH, Math.max(left + width, x + reach)) - newLeft,
      Math.min(PAPER_HEIGHT, Math.max(top + height, y + reach)) - newTop,
    ]
  }
}
