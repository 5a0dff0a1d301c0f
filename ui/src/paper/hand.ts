// From pointer events to marks: which tool is meant, whose touch counts, where a stroke begins and ends. While a pen is near,
// fingers and the heel of the hand draw nothing; what a hand began before its pen came is taken back.
import type { Fill } from '../bindings/Fill'
import type { Ink } from '../bindings/Ink'
import type { Place } from '../bindings/Place'
import type { Shape } from '../bindings/Shape'
import { squared, toPaper } from './geometry'
import { newId, Pen, type PenSink, type Touch } from './pen'
import type { ToolName } from './tools.svelte'

/** Where marks go. */
export interface Sink extends PenSink {
  shape(id: number, shape: Shape): void
  fill(fill: Fill): void
  cursor(place: Place): void
}

/** The sheet that the hand works on. */
export interface Surface {
  /** In CSS pixels of the page. */
  box(): { left: number; top: number; width: number; height: number }
  colourAt(place: Place): number
  fillFrom(place: Place, colour: number): Fill | null
}

export interface Choice {
  tool: ToolName
  colour: number
  size: number
  pressure: boolean
  paint(colour: number): void
}

/** What of a pointer event counts here. */
export interface Report {
  pointerId: number
  pointerType: string
  button: number
  buttons: number
  clientX: number
  clientY: number
  pressure: number
  shiftKey: boolean
  timeStamp: number
  getCoalescedEvents?: () => Report[]
  getPredictedEvents?: () => Report[]
}

/** Points need not wait for the repaint; more often than this they would only be more messages. */
const HURRY_MS = 7
/** After a pen was last heard of, touches are the hand that holds it. */
const PALM_MS = 700
/** The other end of a pen, as a button and as a bit of the buttons. */
const ERASER_BUTTON = 5
const ERASER_BIT = 32

export class Hand {
  readonly #pen: Pen
  #pointer: { id: number; type: string } | null = null
  #shape: { id: number; shape: Shape } | null = null
  #penAt = -Infinity
  #hurriedAt = -Infinity

  constructor(
    private readonly sink: Sink,
    private readonly surface: Surface,
    private readonly choice: Choice,
  ) {
    this.#pen = new Pen(sink, () => choice.pressure)
  }

  /** Points of the stroke under way that are drawn but not meant yet. */
  tail(): { id: number; points: ReturnType<Pen['tail']> } | null {
    const id = this.#pen.id
    return id === null ? null : { id, points: this.#pen.tail() }
  }

  /** At each repaint: what has come since. */
  flush(): void {
    this.#pen.flush()
  }

  /** Whether the sheet shall keep hearing of this pointer. */
  down(event: Report): boolean {
    this.#near(event)
    if (this.#palm(event)) return false
    if (this.#pointer && event.pointerType === 'pen' && this.#pointer.type === 'touch') this.cancel()
    const eraser = event.pointerType === 'pen' && (event.button === ERASER_BUTTON || (event.buttons & ERASER_BIT) !== 0)
    if (this.#pointer || (event.button !== 0 && !eraser)) return false
    return this.#begin(event, eraser ? 'eraser' : this.choice.tool)
  }

  #begin(event: Report, tool: ToolName): boolean {
    const { colour, size } = this.choice
    const place = this.#place(event)
    switch (tool) {
      case 'pipette':
        this.choice.paint(this.surface.colourAt(place))
        return false
      case 'fill': {
        const fill = this.surface.fillFrom(place, colour)
        if (fill) this.sink.fill(fill)
        return false
      }
      case 'line':
      case 'rectangle':
      case 'ellipse':
        this.#shape = { id: newId(), shape: { form: tool, colour, size, from: place, to: place } }
        this.sink.shape(this.#shape.id, this.#shape.shape)
        break
      case 'pen':
      case 'eraser':
      case 'pointer': {
        const ink: Ink = { colour: tool === 'eraser' ? null : colour, size, fades: tool === 'pointer' }
        this.#pen.begin(ink, this.#touch(event))
        break
      }
    }
    this.#pointer = { id: event.pointerId, type: event.pointerType }
    return true
  }

  move(event: Report): void {
    this.#near(event)
    if (event.pointerId !== this.#pointer?.id) {
      if (!this.#palm(event)) this.sink.cursor(this.#place(event))
      return
    }
    if (this.#shape) {
      const { id, shape } = this.#shape
      const to = this.#place(event)
      this.#shape.shape = { ...shape, to: event.shiftKey ? squared(shape.from, to, shape.form === 'line') : to }
      this.sink.shape(id, this.#shape.shape)
      return
    }
    const between = event.getCoalescedEvents?.() ?? []
    const touches = (reports: Report[]): Touch[] => reports.map((each) => this.#touch(each))
    this.#pen.extend(touches(between.length > 0 ? between : [event]), touches(event.getPredictedEvents?.() ?? []))
    if (event.timeStamp - this.#hurriedAt < HURRY_MS) return
    this.#hurriedAt = event.timeStamp
    this.flush()
  }

  up(event: Report): void {
    if (event.pointerId !== this.#pointer?.id) return
    this.#pointer = null
    this.#pen.end()
    if (this.#shape) this.sink.end(this.#shape.id)
    this.#shape = null
  }

  /** The pointer was taken away: by the system, or by a pen that came. */
  cancel(): void {
    this.#pointer = null
    this.#pen.cancel()
    if (this.#shape) this.sink.cancel(this.#shape.id)
    this.#shape = null
  }

  #near(event: Report): void {
    if (event.pointerType === 'pen') this.#penAt = event.timeStamp
  }

  #palm(event: Report): boolean {
    return event.pointerType === 'touch' && event.timeStamp - this.#penAt < PALM_MS
  }

  #place(event: Report): Place {
    const { left, top, width, height } = this.surface.box()
    return toPaper(event.clientX - left, event.clientY - top, width, height)
  }

  #touch(event: Report): Touch {
    const { left, top, width, height } = this.surface.box()
    return {
      x: ((event.clientX - left) / width) * 16_000,
      y: ((event.clientY - top) / height) * 10_000,
      pressure: event.pointerType === 'pen' ? event.pressure : null,
      at: event.timeStamp,
    }
  }
}
