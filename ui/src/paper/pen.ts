// The pen: from the places that a pointer reports to the points of a stroke. It smooths, turns speed into pressure where there
// is none, leaves out what does not move, and hands over only what is new, once a repaint. A stroke that reaches the length
// limit of the wire goes on as another one from the same place.
import type { Ink } from '../bindings/Ink'
import type { Point } from '../bindings/Point'

/** Below the limit of 4096 points a stroke has on the wire. */
export const STROKE_POINTS = 4000
/** Most points in one command; longer batches go out as several. */
export const BATCH_POINTS = 256
/** What draws the brush's own width. */
export const EVEN = 128

/** What a pointer reports. Unrounded wire coordinates, so that slow movements are smooth too. */
export interface Touch {
  x: number
  y: number
  /** 0..=1; `null` where the device has none. */
  pressure: number | null
  /** Milliseconds. */
  at: number
}

export interface PenSink {
  points(id: number, ink: Ink, points: Point[]): void
  end(id: number): void
  cancel(id: number): void
}

/** Running number of marks, for the whole life of the page; begins anywhere, so that a page that was loaded anew repeats none. */
let lastId = Math.floor(Math.random() * 0x3fff_ffff)

export function newId(): number {
  lastId += 1
  return lastId
}

/** Time constants of smoothing, milliseconds: a slow hand trembles, a fast one must not lag. */
const SLOW_MS = 14
const FAST_MS = 2
/** Wire units a millisecond that count as fast: a sheet's width in half a second. */
const FAST = 30
/** Pressure that speed stands for, when slow and when fast. */
const LIGHT = 74
const HEAVY = 150
/** Points closer than this to the one before say nothing, wire units. */
const APART = 8
/** How far ahead of the newest report the pen is drawn, milliseconds, and at most in wire units. */
const AHEAD_MS = 12
const AHEAD_MOST = 260

export class Pen {
  #id: number | null = null
  #ink: Ink = { colour: 0, size: 0, fades: false }
  #fresh: Point[] = []
  #count = 0
  #smooth: Touch | null = null
  #raw: Touch | null = null
  #last: Point | null = null
  #speed = { x: 0, y: 0 }
  /** Where the system thinks that the pointer is going. */
  #coming: readonly Touch[] = []
  #weight = EVEN

  constructor(
    private readonly sink: PenSink,
    /** Whether strokes are of uneven width at all. */
    private readonly sensitive: () => boolean,
  ) {}

  get down(): boolean {
    return this.#id !== null
  }

  get id(): number | null {
    return this.#id
  }

  begin(ink: Ink, touch: Touch): void {
    this.end()
    this.#start(ink)
    this.#smooth = touch
    this.#raw = touch
    this.#speed = { x: 0, y: 0 }
    this.#coming = []
    this.#weight = touch.pressure === null ? EVEN : this.#pressure(touch)
    this.#add(touch)
  }

  /** `coming` is the system's own prediction, empty where it makes none. */
  extend(touches: readonly Touch[], coming: readonly Touch[] = []): void {
    this.#coming = coming
    for (const touch of touches) {
      const [smooth, raw] = [this.#smooth, this.#raw]
      if (this.#id === null || !smooth || !raw) return
      const passed = Math.max(touch.at - raw.at, 1)
      const speed = Math.hypot(touch.x - raw.x, touch.y - raw.y) / passed
      const share = (ms: number): number => 1 - Math.exp(-passed / ms)
      const quick = Math.min(speed / FAST, 1)
      const follow = share(SLOW_MS + (FAST_MS - SLOW_MS) * quick)
      this.#speed.x += ((touch.x - raw.x) / passed - this.#speed.x) * share(20)
      this.#speed.y += ((touch.y - raw.y) / passed - this.#speed.y) * share(20)
      const wanted = touch.pressure === null ? HEAVY + (LIGHT - HEAVY) * quick : this.#pressure(touch)
      this.#weight += (wanted - this.#weight) * share(touch.pressure === null ? 45 : 12)
      this.#smooth = { ...touch, x: smooth.x + (touch.x - smooth.x) * follow, y: smooth.y + (touch.y - smooth.y) * follow }
      this.#raw = touch
      this.#add(this.#smooth)
    }
  }

  /** Where the pen is by its newest report, and a little further the way it goes: drawn until the next report replaces it. */
  tail(): Point[] {
    const [raw, last] = [this.#raw, this.#last]
    if (this.#id === null || !raw || !last) return []
    const near = ({ x, y, at }: Touch): boolean => at <= raw.at + AHEAD_MS && Math.hypot(x - raw.x, y - raw.y) <= AHEAD_MOST
    const coming = this.#coming.filter(near)
    if (coming.length > 0) return [raw, ...coming].map((touch) => this.#point(touch))
    const ahead = Math.min(AHEAD_MS, AHEAD_MOST / Math.max(Math.hypot(this.#speed.x, this.#speed.y), 0.01))
    const at = (ms: number): Point => this.#point({ ...raw, x: raw.x + this.#speed.x * ms, y: raw.y + this.#speed.y * ms })
    return [at(0), at(ahead)].filter((point) => point.x !== last.x || point.y !== last.y)
  }

  /** Sends what has come since the last call. */
  flush(): void {
    if (this.#id === null) return
    for (let at = 0; at < this.#fresh.length; at += BATCH_POINTS) {
      this.sink.points(this.#id, this.#ink, this.#fresh.slice(at, at + BATCH_POINTS))
    }
    this.#fresh = []
  }

  /** The stroke ends where the pointer was, not where smoothing had come to. */
  end(): void {
    if (this.#id === null) return
    if (this.#raw) this.#add(this.#raw, 1)
    this.flush()
    this.sink.end(this.#id)
    this.#id = null
  }

  /** It was no stroke: a palm, or a gesture of the system's. */
  cancel(): void {
    if (this.#id === null) return
    this.sink.cancel(this.#id)
    this.#id = null
  }

  #pressure(touch: Touch): number {
    return 30 + (touch.pressure ?? 0.5) * 225
  }

  #point(touch: Touch): Point {
    const within = (value: number, most: number): number => Math.round(Math.min(Math.max(value, 0), most))
    return {
      x: within(touch.x, 16_000),
      y: within(touch.y, 10_000),
      pressure: this.sensitive() ? within(this.#weight, 255) : EVEN,
    }
  }

  #start(ink: Ink): void {
    this.#id = newId()
    this.#ink = ink
    this.#count = 0
    this.#fresh = []
    this.#last = null
  }

  #add(touch: Touch, apart = APART): void {
    const point = this.#point(touch)
    const last = this.#last
    if (last && Math.hypot(point.x - last.x, point.y - last.y) < apart) return
    this.#fresh.push(point)
    this.#last = point
    this.#count += 1
    if (this.#count < STROKE_POINTS || this.#id === null) return
    this.flush()
    this.sink.end(this.#id)
    this.#start(this.#ink)
    this.#fresh.push(point)
    this.#last = point
    this.#count = 1
  }
}
