// Colour and size of the pen; the same in the call and alone.
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

/** Diameters in tenths of a paper unit. */
export const SIZES = { least: 20, most: 300, step: 20 }

export const tools = $state({ colour: 0x1f1b18, size: 80 })
