// What lies on the paper: the list of marks as the session keeps it, what can change no more as a picture, and wet ink on top.
// Own wet ink stays until its mark comes back committed; so does the peer's. What never comes back dries up after a while.
import type { Author } from '../bindings/Author'
import type { Change as ItemChange } from '../bindings/Change'
import type { Event } from '../bindings/Event'
import type { Ink } from '../bindings/Ink'
import type { Item } from '../bindings/Item'
import type { Point } from '../bindings/Point'
import type { Shape } from '../bindings/Shape'

export interface WetStroke {
  kind: 'stroke'
  ink: Ink
  /** By index; one that was lost on the way is missing. */
  points: (Point | undefined)[]
  /** All points before this index are as they were last time. */
  settled: number
  complete: boolean
  touched: number
}

export interface WetShape {
  kind: 'shape'
  shape: Shape
  complete: boolean
  touched: number
}

export type Wet = WetStroke | WetShape

/** What watchers are told of. */
export interface Change {
  /** The lowest item that is no longer what it was. */
  from?: number
  /** So many of the lowest items are part of the picture below now. */
  frozen?: number
  /** Wet ink is gone, not only more. */
  dried?: boolean
}

/** What draws the items that can change no more onto a picture that is kept. */
export interface Ground {
  readonly canvas: HTMLCanvasElement | null
  freeze(items: readonly Item[]): void
  begin(picture: string | null): void
}

/** Own ink that the session did not take, and the peer's ink whose end was lost. */
const OWN_DRIES_MS = 3_000
const PEER_DRIES_MS = 20_000
/** Ink for pointing stands so long after its last point, fading at the end. */
export const FADES_AFTER_MS = 600
export const GONE_AFTER_MS = 2_000
/** A peer's stroke under way is never longer than a committed one can be, and there are never more of them than fingers. */
const MOST_POINTS = 4096
const MOST_STROKES = 12

export class PaperModel {
  items: Item[] = []
  /** Below the items. */
  ground: Ground | null = null
  cursor: { x: number; y: number; at: number } | null = null
  #author: Author = 0
  readonly #own = new Map<number, Wet>()
  readonly #peer = new Map<number, Wet>()
  readonly #watchers = new Set<(change: Change) => void>()

  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** The peer's first, one's own on top. */
  wet(): Wet[] {
    return [...this.#peer.values(), ...this.#own.values()]
  }

  /** With the numbers of one's own; the peer's have none here. */
  wetById(): [number | null, Wet][] {
    return [...[...this.#peer.values()].map((wet): [null, Wet] => [null, wet]), ...this.#own.entries()]
  }

  /** The picture below has come. */
  redraw(): void {
    this.#tell({ from: 0 })
  }

  get blank(): boolean {
    const last = this.items.findLast(({ shown }) => shown)
    return last ? last.op.kind === 'clear' : !this.ground?.canvas
  }

  /** Own points, drawn before anybody else knows of them. */
  ownPoints(id: number, ink: Ink, points: readonly Point[], now: number): void {
    const wet = this.#own.get(id)
    if (wet?.kind === 'stroke') {
      wet.points.push(...points)
      wet.touched = now
    } else this.#own.set(id, { kind: 'stroke', ink, points: [...points], settled: 0, complete: false, touched: now })
    this.#tell({})
  }

  ownShape(id: number, shape: Shape, now: number): void {
    this.#own.set(id, { kind: 'shape', shape, complete: false, touched: now })
    this.#tell({})
  }

  ownEnd(id: number, now: number): void {
    const wet = this.#own.get(id)
    if (!wet) return
    wet.complete = true
    wet.touched = now
    this.#tell({})
  }

  ownCancel(id: number): void {
    if (this.#own.delete(id)) this.#tell({ dried: true })
  }

  apply(event: Event, now: number): void {
    switch (event.event) {
      case 'paper':
        this.#author = event.own
        this.ground?.begin(event.ground)
        this.items = [...event.items]
        for (const { op } of this.items) this.#dry(op.id.author, op.live)
        this.#tell({ from: 0, dried: true })
        break
      case 'paper_change':
        this.change(event.changes)
        break
      case 'peer_ink':
        this.#peerInk(event, now)
        break
      case 'peer_shape':
        this.#room(event.stroke)
        this.#peer.set(event.stroke, { kind: 'shape', shape: event.shape, complete: false, touched: now })
        this.#tell({})
        break
      case 'peer_dropped':
        if (this.#peer.delete(event.stroke)) this.#tell({ dried: true })
        break
      case 'peer_cursor':
        this.cursor = { x: event.x, y: event.y, at: now }
        this.#tell({})
        break
    }
  }

  /** The list is kept as crates/canvas/src/change.rs keeps it. */
  change(changes: readonly ItemChange[]): void {
    for (const change of changes) {
      switch (change.change) {
        case 'insert': {
          const at = Math.max(0, this.items.length - change.above)
          this.items.splice(at, 0, { op: change.op, shown: true })
          const dried = this.#dry(change.op.id.author, change.op.live)
          this.#tell({ from: at, dried })
          break
        }
        case 'show': {
          const at = this.items.findLastIndex(({ op }) => op.id.seq === change.id.seq && op.id.author === change.id.author)
          const item = this.items[at]
          if (!item) break
          this.items[at] = { ...item, shown: change.shown }
          this.#tell({ from: at })
          break
        }
        case 'freeze': {
          const frozen = this.items.splice(0, change.count)
          this.ground?.freeze(frozen)
          this.#tell({ frozen: frozen.length })
          break
        }
      }
    }
  }

  /** Takes away wet ink that nobody has claimed for long, and what was for pointing only. */
  age(now: number): void {
    let gone = false
    for (const [map, limit] of [
      [this.#own, OWN_DRIES_MS],
      [this.#peer, PEER_DRIES_MS],
    ] as const) {
      for (const [id, wet] of map) {
        const fades = wet.kind === 'stroke' && wet.ink.fades
        const ends = wet.complete || map === this.#peer
        if (ends && now - wet.touched > (fades ? GONE_AFTER_MS : limit)) gone = map.delete(id) || gone
      }
    }
    if (gone) this.#tell({ dried: true })
  }

  #peerInk(message: Extract<Event, { event: 'peer_ink' }>, now: number): void {
    let wet = this.#peer.get(message.stroke)
    if (wet?.kind !== 'stroke') {
      this.#room(message.stroke)
      wet = { kind: 'stroke', ink: message.ink, points: [], settled: 0, complete: false, touched: now }
      this.#peer.set(message.stroke, wet)
    }
    wet.touched = now
    let changed = false
    for (const [index, point] of message.points.entries()) {
      const at = message.from + index
      if (at >= MOST_POINTS || wet.points[at]) continue
      // What was lost came after all: the part after it was drawn without it.
      if (at < wet.settled) {
        wet.settled = 0
        changed = true
      }
      wet.points[at] = point
    }
    this.#tell({ dried: changed })
  }

  /** The oldest of the peer's wet ink makes room. */
  #room(stroke: number): void {
    if (this.#peer.has(stroke) || this.#peer.size < MOST_STROKES) return
    const oldest = this.#peer.keys().next()
    if (!oldest.done) this.#peer.delete(oldest.value)
  }

  #dry(author: Author, live: number): boolean {
    return live !== 0 && (author === this.#author ? this.#own : this.#peer).delete(live)
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change)
  }
}
