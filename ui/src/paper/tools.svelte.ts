// The tool in hand, its colour and size; the same in the call and alone.
import type { Key } from '../words/words.svelte'

export interface Colour {
  value: number
  name: Key
}

export const COLOURS: readonly Colour[] = [
  { value: 0x1f1b18, name: 'colour.ink' },
  { value: 0x7d756c, name: 'colour.grey' },
  { value: 0x7a4b2a, name: 'colour.brown' },
  { value: 0xc23b28, name: 'colour.red' },
  { value: 0xe07b2a, name: 'colour.orange' },
  { value: 0xe5b83c, name: 'colour.yellow' },
  { value: 0x55904b, name: 'colour.green' },
  { value: 0x237571, name: 'colour.teal' },
  { value: 0x4b93c4, name: 'colour.sky' },
  { value: 0x2d4b8c, name: 'colour.blue' },
  { value: 0x7b519e, name: 'colour.violet' },
  { value: 0xd6739a, name: 'colour.rose' },
]

export const TOOLS = ['pen', 'eraser', 'line', 'rectangle', 'ellipse', 'fill', 'pipette', 'pointer'] as const
export type ToolName = (typeof TOOLS)[number]

/** One key each; none that the call's page uses. */
export const TOOL_KEYS: Record<ToolName, string> = {
  pen: 'P',
  eraser: 'E',
  line: 'L',
  rectangle: 'B',
  ellipse: 'O',
  fill: 'G',
  pipette: 'I',
  pointer: 'D',
}
/** The colours, in order. */
export const COLOUR_KEYS = '1234567890-='

/** Diameters in tenths of a paper unit. */
export const SIZES = { least: 20, most: 600 }
/** What a step of the wheel or a key multiplies the size by. */
const STEP = 1.25

class Tools {
  tool = $state<ToolName>('pen')
  colour = $state(0x1f1b18)
  size = $state(80)
  /** Chosen freely; shown as a swatch of its own. */
  free = $state(0x3f5f3a)
  /** Strokes get thinner and thicker with pressure, or with speed. */
  pressure = $state(true)
  #before: ToolName = 'pen'

  choose(tool: ToolName): void {
    if (tool === this.tool) return
    this.#before = this.tool
    this.tool = tool
  }

  /** A colour is for drawing: what cannot draw is put down. */
  paint(colour: number): void {
    this.colour = colour
    if (!COLOURS.some(({ value }) => value === colour)) this.free = colour
    if (this.tool === 'eraser') this.choose('pen')
    if (this.tool === 'pipette') this.choose(this.#before === 'eraser' ? 'pen' : this.#before)
  }

  /** By so many steps up or down. */
  resize(steps: number): void {
    const wanted = Math.round((this.size * STEP ** steps) / 5) * 5
    this.size = Math.min(Math.max(wanted, SIZES.least), SIZES.most)
  }
}

export const tools = new Tools()
