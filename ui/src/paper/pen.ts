// The pen: collects the points of the stroke under way and hands over only what is new, once a repaint. A stroke that reaches
// the length limit of the wire goes on as another one from the same place.
import type { Point } from '../bindings/Point'

/** Below the limit of 4096 points a stroke has on the wire. */
export const STROKE_POINTS = 4000
/** Most points in one command; longer batches go out as several. */
export const BATCH_POINTS = 256

export interface Sink {
  points(id: number, colour: number, size: number, points: Point[]): void
  end(id: number): void
}

/** Running number of strokes, for the whole life of the page: an `id` is never used twice. */
let lastId = 0

export class Pen {
  #id: number | null = null
  #fresh: Point[] = []
  #last: Point | null = null
  #count = 0
  #colour = 0
  #size = 0

  constructor(private readonly sink: Sink) {}

  get down(): boolean {
    return this.#id !== null
  }

  begin(colour: number, size: number, point: Point): void {
    this.end()
    this.#start(colour, size)
    this.#add(point)
  }

  extend(points: readonly Point[]): void {
    for (const point of points) {
      if (this.#id === null) return
      if (this.#last && this.#last.x === point.x && this.#last.y === point.y) continue
      this.#add(point)
      if (this.#count >= STROKE_POINTS) this.begin(this.#colour, this.#size, point)
    }
  }

  /** Sends what has come since the last call. */
  flush(): void {
    if (this.#id === null) return
    for (let at = 0; at < this.#fresh.length; at += BATCH_POINTS) {
      this.sink.points(this.#id, this.#colour, this.#size, this.#fresh.slice(at, at + BATCH_POINTS))
    }
    this.#fresh = []
  }

  end(): void {
    if (this.#id === null) return
    this.flush()
    this.sink.end(this.#id)
    this.#id = null
    this.#last = null
  }

  #start(colour: number, size: number): void {
    lastId += 1
    this.#id = lastId
    this.#colour = colour
    this.#size = size
    this.#count = 0
    this.#fresh = []
  }

  #add(point: Point): void {
    this.#fresh.push(point)
    this.#last = point
    this.#count += 1
  }
}
