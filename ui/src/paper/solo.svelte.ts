// Paper to draw on alone while one waits. Nothing of it leaves the page. It keeps the list of marks that a session keeps in a
// call, for one author and without anybody to agree with.
import type { Change } from '../bindings/Change'
import type { OpId } from '../bindings/OpId'
import type { OpKind } from '../bindings/OpKind'
import type { Ink } from '../bindings/Ink'
import type { Point } from '../bindings/Point'
import type { Shape } from '../bindings/Shape'
import type { Sink } from './hand'
import { PaperModel } from './model'

/** What can be taken back; older marks become pixels. */
const MOST_ITEMS = 400
const FROZEN_AT_ONCE = 16

type Open = { ink: Ink; points: Point[] } | Shape

export class SoloPaper {
  readonly model = new PaperModel()
  /** Marks and clears that show, in the order in which they can be taken back. */
  #done = $state.raw<OpId[]>([])
  #undone = $state.raw<OpId[]>([])
  #seq = 0
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on the page is derived from it
  readonly #open = new Map<number, Open>()

  readonly canUndo = $derived(this.#done.length > 0)
  readonly canRedo = $derived(this.#undone.length > 0)

  readonly sink: Sink = {
    points: (id, ink, points) => {
      const open = this.#open.get(id)
      if (open && 'points' in open) open.points.push(...points)
      else this.#open.set(id, { ink, points: [...points] })
    },
    shape: (id, shape) => this.#open.set(id, shape),
    end: (id) => {
      const open = this.#open.get(id)
      this.#open.delete(id)
      if (!open) return
      if (!('points' in open)) this.#draw({ shape: open }, id)
      else if (!open.ink.fades) this.#draw({ stroke: { colour: open.ink.colour, size: open.ink.size, points: open.points } }, id)
    },
    cancel: (id) => this.#open.delete(id),
    fill: (fill) => this.#draw({ fill }, 0),
    cursor: () => undefined,
  }

  undo(): void {
    const id = this.#done.at(-1)
    if (!id) return
    this.#done = this.#done.slice(0, -1)
    this.#undone = [...this.#undone, id]
    this.#show(id, false)
  }

  redo(): void {
    const id = this.#undone.at(-1)
    if (!id) return
    this.#undone = this.#undone.slice(0, -1)
    this.#done = [...this.#done, id]
    this.#show(id, true)
  }

  clear(): void {
    const last = this.model.items.findLast(({ shown }) => shown)
    if (last ? last.op.kind !== 'clear' : this.model.ground?.canvas) this.#draw('clear', 0)
  }

  #draw(kind: OpKind, live: number): void {
    this.#seq += 1
    const id: OpId = { author: 0, seq: this.#seq }
    const changes: Change[] = [{ change: 'insert', op: { id, time: this.#seq, live, kind }, above: 0 }]
    if (this.model.items.length >= MOST_ITEMS) changes.push({ change: 'freeze', count: FROZEN_AT_ONCE })
    this.model.change(changes)
    const oldest = this.model.items[0]?.op.id.seq ?? 0
    this.#done = [...this.#done, id].filter(({ seq }) => seq >= oldest)
    this.#undone = []
  }

  #show(id: OpId, shown: boolean): void {
    this.model.change([{ change: 'show', id, shown }])
  }
}

/** Kept while the window lives, so that a match that came to nothing does not cost the drawing. */
export const solo = new SoloPaper()
