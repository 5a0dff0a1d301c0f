// The committed marks as a picture, kept up to date at little cost: marks are drawn once, and when one below the top changes,
// drawing goes on from the nearest save point below it, a copy of the picture at that height. Save points lie close together
// near the top, where undo happens, and twice as far apart at every step down.
//
// All drawing is done in slices of a frame. A long way up (an undo far below, another window size) is drawn beside and shown
// when it is done.
import type { Item } from '../bindings/Item'
import { onPaper, parts, wipe } from './marks'

/** Between save points at the top. */
const SPACING = 16
/** Marks drawn at once where they are seen; more are drawn beside. */
const AT_ONCE = 96
/** Of one frame, milliseconds; where it is seen there is nobody who waits for all of it but a peer who sends too much. */
const SLICE_MS = 9
const SEEN_SLICE_MS = 5

interface SavePoint {
  /** So many items are in it. */
  at: number
  canvas: HTMLCanvasElement
}

export class Layers {
  #drawn = 0
  /** What is left of the item that is being drawn. */
  #parts: ReturnType<typeof parts> | null = null
  /** What is drawn belongs to another height. */
  #stale = true
  #saved: SavePoint[] = []
  #spare: HTMLCanvasElement[] = []
  /** Where a long way is drawn. */
  #beside: HTMLCanvasElement | null = null

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly items: () => readonly Item[],
    private readonly ground: () => HTMLCanvasElement | null,
  ) {}

  /** Everything from this item on has to be drawn anew. */
  invalidate(from: number): void {
    this.#free((point) => point.at > from)
    if (from > this.#drawn || (from === this.#drawn && !this.#parts)) return
    this.#parts = null
    this.#drawn = this.#saved.at(-1)?.at ?? 0
    this.#stale = true
  }

  /** The `count` lowest items are part of the ground now, which looks the same. */
  shift(count: number): void {
    this.#free((point) => point.at < count)
    for (const point of this.#saved) point.at -= count
    if (this.#drawn < count) this.invalidate(-1)
    else this.#drawn -= count
  }

  /** The canvas has another size and is blank; `before` is what it showed, to be seen until all is drawn. */
  resized(before: HTMLCanvasElement | null): void {
    this.#free(() => true)
    this.#spare = []
    this.#drawn = 0
    this.#parts = null
    this.#stale = true
    this.#beside = null
    if (before && this.items().length > AT_ONCE) this.#onto(this.canvas, before)
  }

  /** Draws what is missing; false when there is more to do in the next frame. */
  paint(now: () => number): boolean {
    const items = this.items()
    if (this.#stale) this.#restore(items.length - this.#drawn)
    const target = this.#beside ?? this.canvas
    const context = onPaper(target)
    if (!context) return true
    const began = now()
    // What lies below a clear that is shown need not be drawn.
    const clear = items.findLastIndex(({ op, shown }) => shown && op.kind === 'clear')
    if (clear >= this.#drawn) {
      wipe(context)
      this.#drawn = clear + 1
      this.#parts = null
    }
    while (this.#drawn < items.length) {
      const item = items[this.#drawn]
      if (item?.shown) this.#parts ??= parts(item.op.kind)
      const part = this.#parts?.next()
      if (part?.value) part.value(context)
      if (!part || part.done) {
        this.#parts = null
        this.#drawn += 1
        if (this.#drawn % SPACING === 0) this.#save(target)
      }
      // Where it is seen, too: what a peer sends at once must not hold up the pictures.
      if (now() - began > (this.#beside ? SLICE_MS : SEEN_SLICE_MS) && this.#drawn < items.length) return false
    }
    if (this.#beside) {
      this.#onto(this.canvas, this.#beside)
      this.#spare.push(this.#beside)
      this.#beside = null
    }
    return true
  }

  /** Begins again from the highest save point, with so many items to draw from there. */
  #restore(behind: number): void {
    this.#stale = false
    if (behind > AT_ONCE) this.#beside ??= this.#copy(null)
    else if (this.#beside) {
      this.#spare.push(this.#beside)
      this.#beside = null
    }
    const target = this.#beside ?? this.canvas
    const below = this.#saved.at(-1)?.canvas ?? this.ground()
    if (below) this.#onto(target, below)
    else {
      const context = onPaper(target)
      if (context) wipe(context)
    }
  }

  /** Replaces a picture by another, scaled where the sizes differ. */
  #onto(target: HTMLCanvasElement, picture: HTMLCanvasElement): void {
    const context = target.getContext('2d')
    if (!context) return
    context.resetTransform()
    context.clearRect(0, 0, target.width, target.height)
    context.drawImage(picture, 0, 0, target.width, target.height)
  }

  #save(from: HTMLCanvasElement): void {
    const top = this.#drawn
    this.#saved.push({ at: top, canvas: this.#copy(from) })
    // From the top down: the next one kept is at least twice as far away as the one before.
    const kept: SavePoint[] = []
    let least = 0
    for (const point of this.#saved.toReversed()) {
      if (top - point.at < least) this.#spare.push(point.canvas)
      else {
        kept.unshift(point)
        least = Math.max(SPACING, (top - point.at) * 2)
      }
    }
    this.#saved = kept
  }

  #free(gone: (point: SavePoint) => boolean): void {
    for (const point of this.#saved) if (gone(point)) this.#spare.push(point.canvas)
    this.#saved = this.#saved.filter((point) => !gone(point))
  }

  #copy(from: HTMLCanvasElement | null): HTMLCanvasElement {
    const canvas = this.#spare.pop() ?? document.createElement('canvas')
    if (canvas.width !== this.canvas.width) canvas.width = this.canvas.width
    if (canvas.height !== this.canvas.height) canvas.height = this.canvas.height
    if (from) this.#onto(canvas, from)
    return canvas
  }
}
