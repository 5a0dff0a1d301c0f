// Paper to draw on alone while one waits. Nothing of it leaves the page.
import type { Point } from '../bindings/Point'
import type { Line } from './geometry'
import { PaperModel } from './model'
import type { Sink } from './pen'

type Step = { kind: 'stroke'; line: Line } | { kind: 'clear'; hidden: Line[] }

export class SoloPaper {
  readonly model = new PaperModel()
  #done = $state<Step[]>([])
  #undone = $state<Step[]>([])

  readonly canUndo = $derived(this.#done.length > 0)
  readonly canRedo = $derived(this.#undone.length > 0)

  readonly sink: Sink = {
    points: (id, colour, size, points) => {
      const line = this.#open.get(id)
      if (line) line.points.push(...points)
      else this.#open.set(id, { colour, size, points: [...points] })
    },
    end: (id) => {
      const line = this.#open.get(id)
      this.#open.delete(id)
      if (!line) return
      this.#do({ kind: 'stroke', line })
      this.#undone = []
    },
  }

  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on the page is derived from it
  readonly #open = new Map<number, { colour: number; size: number; points: Point[] }>()

  undo(): void {
    const step = this.#done.at(-1)
    if (!step) return
    this.#done = this.#done.slice(0, -1)
    this.#undone = [...this.#undone, step]
    this.model.replace(step.kind === 'stroke' ? this.model.committed.slice(0, -1) : step.hidden)
  }

  redo(): void {
    const step = this.#undone.at(-1)
    if (!step) return
    this.#undone = this.#undone.slice(0, -1)
    this.#do(step)
  }

  clear(): void {
    if (this.model.committed.length === 0) return
    this.#do({ kind: 'clear', hidden: this.model.committed })
    this.#undone = []
  }

  #do(step: Step): void {
    this.#done = [...this.#done, step]
    if (step.kind === 'stroke') this.model.append(step.line)
    else this.model.replace([])
  }
}

/** Kept while the window lives, so that a match that came to nothing does not cost the drawing. */
export const solo = new SoloPaper()
