import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const text = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')

/** Colours of each block of the sheet: day, night by the system, night by choice. */
const blocks = [...text.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(
  ([, body = '']) => new Map([...body.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [name, value])),
)

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}

const TEXTS = [
  ['ink', 'ground'],
  ['ink', 'raised'],
  ['ink', 'sunk'],
  ['ink-soft', 'ground'],
  ['ink-soft', 'raised'],
  ['ink-soft', 'sunk'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['on-note', 'note'],
] as const
const SHAPES = [
  ['edge', 'ground'],
  ['edge', 'raised'],
  ['good', 'ground'],
  ['fair', 'ground'],
] as const

describe('tokens', () => {
  it('give the night the same colours, by the system or by choice', () => {
    expect(blocks.length).toBe(3)
    expect(blocks[1]).toEqual(blocks[2])
    expect([...(blocks[0]?.keys() ?? [])]).toEqual([...(blocks[1]?.keys() ?? [])])
  })

  it('meet AA in both themes', () => {
    for (const block of blocks) {
      for (const [least, pairs] of [
        [4.5, TEXTS],
        [3, SHAPES],
      ] as const) {
        for (const [over, under] of pairs) {
          expect(contrast(block.get(over) ?? '#000000', block.get(under) ?? '#000000'), `${over} on ${under}`).toBeGreaterThan(least)
        }
      }
    }
  })
})
