import { describe, expect, it, vi } from 'vitest'
import { languages, setLanguage } from '../words/words.svelte'
import { CELLS, LINES, pointName, stepTo } from './board'
import { prompts } from './prompts'
import { outcome, status, turn } from './status'
import type { GameView, Scene } from './view'

vi.stubGlobal('document', { documentElement: {} })

const permit = { draw: false, area: { left: 0, top: 0, right: 1, bottom: 1 }, one_stroke: false, one_colour: false, blind: false, hidden: false }
const view = (scene: Scene, phase: GameView['phase'] = { phase: 'playing' }): GameView => ({
  game: scene.scene,
  twist: null,
  language: null,
  phase,
  round: 1,
  rounds: 1,
  paused: false,
  left_ms: null,
  your_turn: true,
  permit,
  scene,
})
const guess = { scene: 'draw_and_guess' as const, you_draw: true, offers: [], word: 'owl', pattern: ['___'], guesses: [], hint_left: true, outcome: null }
const gomoku = { scene: 'gomoku' as const, board: '.'.repeat(CELLS), you_black: true, last: null, line: [], you_won: null }

describe('the board', () => {
  it('is walked by arrows and held by its edges', () => {
    expect(stepTo(112, 'ArrowUp')).toBe(97)
    expect(stepTo(0, 'ArrowLeft')).toBe(0)
    expect(stepTo(CELLS - 1, 'ArrowDown')).toBe(CELLS - 1)
    expect(stepTo(14, 'ArrowRight')).toBe(14)
    expect(stepTo(3, 'Enter')).toBeNull()
  })

  it('has a name for every point', () => {
    expect(new Set(Array.from({ length: CELLS }, (_, cell) => pointName(cell))).size).toBe(LINES * LINES)
    expect([pointName(0), pointName(112), pointName(224)]).toEqual(['A15', 'H8', 'O1'])
  })
})

describe('prompts', () => {
  it('offer every easy and middling word once, by its first name', () => {
    for (const { tag } of languages) {
      const words = prompts(tag)
      expect(words.length).toBeGreaterThan(600)
      expect(new Set(words).size).toBe(words.length)
      expect(words.every((word) => word !== '' && !/[|#]/.test(word))).toBe(true)
    }
  })
})

describe('what a game says', () => {
  it('tells whose move it is by the stones', () => {
    expect(turn(gomoku)).toBe(true)
    expect(turn({ ...gomoku, board: `b${'.'.repeat(CELLS - 1)}` })).toBe(false)
    expect(turn({ ...gomoku, you_black: false, board: `b${'.'.repeat(CELLS - 1)}` })).toBe(true)
  })

  it('has a different sentence for each way that a round ends', async () => {
    const ends = [
      { ...guess, outcome: 'guessed' as const },
      { ...guess, you_draw: false, outcome: 'guessed' as const },
      { ...guess, outcome: 'said_aloud' as const },
      { ...guess, outcome: 'time_up' as const },
      { ...gomoku, you_won: true },
      { ...gomoku, you_won: false },
      { ...gomoku, board: 'b'.repeat(CELLS) },
      { scene: 'two_truths' as const, you_tell: true, statements: [], picked: 1, lie: 1 },
      { scene: 'two_truths' as const, you_tell: true, statements: [], picked: 0, lie: 1 },
      { scene: 'two_truths' as const, you_tell: false, statements: [], picked: 1, lie: 1 },
      { scene: 'two_truths' as const, you_tell: false, statements: [], picked: 0, lie: 1 },
    ]
    for (const { tag } of languages) {
      await setLanguage(tag, false)
      expect(new Set(ends.map((scene) => outcome(view(scene, { phase: 'over' })))).size).toBe(ends.length)
    }
    await setLanguage('en', false)
  })

  it('never tells the word to whoever guesses it', () => {
    const guessing = { ...guess, you_draw: false, word: null }
    expect(status(view(guessing))).not.toContain('owl')
    expect(status(view(guess))).toContain('owl')
    expect(status({ ...view(guess), paused: true })).not.toContain('owl')
  })
})
