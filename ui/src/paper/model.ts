// What lies on the paper: committed strokes as the session gives them, and wet ink on top. Own wet ink stays until its
// stroke comes back committed; so does the peer's. What is wet and never comes back dries up after a while.
import type { Event } from '../bindings/Event'
import type { Op } from '../bindings/Op'
import type { Point } from '../bindings/Point'
import type { Line } from './geometry'

interface Wet extends Line {
  points: Point[]
  complete: boolean
  touched: number
}

export type Change = 'all' | 'appended' | 'wet'
/** Own ink that the session did not take, and the peer's ink whose end was lost. */
const OWN_DRIES_MS = 3_000
const PEER_DRIES_MS = 20_000
/** A peer's stroke under way is never longer than a committed one can be. */
const MOST_POINTS = 4096

function strokeOf(op: Op): Line | null {
  return typeof op.kind === 'object' && 'stroke' in op.kind ? op.kind.stroke : null
}

function same(wet: Line, line: Line): boolean {
  const [a, b] = [wet.points[0], line.points[0]]
  return wet.colour === line.colour && wet.size === line.size && a?.x === b?.x && a?.y === b?.y
}

export class PaperModel {
  committed: Line[] = []
  cursor: { x: number; y: number; at: number } | null = null
  readonly #own = new Map<number, Wet>()
  readonly #peer = new Map<number, Wet>()
  readonly #watchers = new Set<(change: Change) => void>()

  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  wet(): { line: Line; complete: boolean }[] {
    return [...this.#peer.values(), ...this.#own.values()].map((wet) => ({ line: wet, complete: wet.complete }))
  }

  /** Own points, drawn before anybody else knows of them. */
  ownPoints(id: number, colour: number, size: number, points: readonly Point[], now: number): void {
    const wet = this.#own.get(id)
    if (wet) {
      wet.points.push(...points)
      wet.touched = now
    } else {
      this.#own.set(id, { colour, size, points: [...points], complete: false, touched: now })
    }
    this.#tell('wet')
  }

  ownEnd(id: number, now: number): void {
    const wet = this.#own.get(id)
    if (wet) Object.assign(wet, { complete: true, touched: now })
    this.#tell('wet')
  }

  apply(event: Event, now: number): void {
    switch (event.event) {
      case 'paper':
        this.committed = event.strokes.map(strokeOf).filter((line) => line !== null)
        for (const line of this.committed) this.#dry(line)
        this.#tell('all')
        break
      case 'paper_append': {
        const line = strokeOf(event.stroke)
        if (!line) return
        this.append(line)
        break
      }
      case 'peer_ink':
        this.#peerInk(event, now)
        this.#tell('wet')
        break
      case 'peer_cursor':
        this.cursor = { x: event.x, y: event.y, at: now }
        this.#tell('wet')
        break
    }
  }

  append(line: Line): void {
    this.committed.push(line)
    this.#dry(line)
    this.#tell('appended')
  }

  replace(lines: readonly Line[]): void {
    this.committed = [...lines]
    this.#own.clear()
    this.#tell('all')
  }

  /** Takes away wet ink that nobody has claimed for long. */
  age(now: number): void {
    let gone = false
    for (const [map, limit] of [
      [this.#own, OWN_DRIES_MS],
      [this.#peer, PEER_DRIES_MS],
    ] as const) {
      for (const [id, wet] of map) {
        if ((wet.complete || map === this.#peer) && now - wet.touched > limit) gone = map.delete(id) || gone
      }
    }
    if (gone) this.#tell('wet')
  }

  #peerInk(ink: Extract<Event, { event: 'peer_ink' }>, now: number): void {
    let wet = this.#peer.get(ink.stroke)
    if (!wet) {
      wet = { colour: ink.colour, size: ink.size, points: [], complete: false, touched: now }
      this.#peer.set(ink.stroke, wet)
    }
    wet.touched = now
    // A message that was lost leaves a gap, which a straight line closes until the committed stroke comes.
    const from = Math.min(ink.from, wet.points.length)
    ink.points.forEach((point, index) => {
      if (from + index < MOST_POINTS) wet.points[from + index] = point
    })
  }

  #dry(line: Line): void {
    for (const map of [this.#own, this.#peer]) {
      for (const [id, wet] of map) {
        if (same(wet, line) && (wet.complete || map === this.#peer)) {
          map.delete(id)
          return
        }
      }
    }
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change)
  }
}
