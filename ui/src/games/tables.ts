// Each member of the games' enums and the key of its words.
import type { Key } from '../words/words.svelte'
import type { Difficulty, Game, Twist, Unfair, Verdict } from './view'

export const GAME_NAMES: Record<Game, Key> = {
  draw_and_guess: 'game.draw_and_guess',
  same_word: 'game.same_word',
  finish_my_drawing: 'game.finish_my_drawing',
  gomoku: 'game.gomoku',
  two_truths: 'game.two_truths',
}
export const PLAY_ORDER: readonly Game[] = ['draw_and_guess', 'same_word', 'finish_my_drawing', 'gomoku', 'two_truths']

/** One line each. */
export const RULES: Record<Game, Key> = {
  draw_and_guess: 'rule.draw_and_guess',
  same_word: 'rule.same_word',
  finish_my_drawing: 'rule.finish_my_drawing',
  gomoku: 'rule.gomoku',
  two_truths: 'rule.two_truths',
}

export const TWISTS: readonly Twist[] = ['one_stroke', 'one_colour', 'blind']
export const TWIST_NAMES: Record<Twist, Key> = { one_stroke: 'twist.one_stroke', one_colour: 'twist.one_colour', blind: 'twist.blind' }
export const TWIST_RULES: Record<Twist, Key> = { one_stroke: 'rule.one_stroke', one_colour: 'rule.one_colour', blind: 'rule.blind' }

export function takesTwist(game: Game): boolean {
  return game === 'draw_and_guess' || game === 'same_word' || game === 'finish_my_drawing'
}

export const DIFFICULTIES: Record<Difficulty, Key> = { easy: 'play.easy', medium: 'play.medium', hard: 'play.hard' }
export const VERDICTS: Record<Verdict, Key> = { right: 'play.right', close: 'play.close_guess', wrong: 'play.wrong' }

/** Said of their program, not of them. */
export const UNFAIR: Record<Unfair, Key> = {
  changed_secret: 'unfair.changed_secret',
  wrong_verdict: 'unfair.wrong_verdict',
  impossible_move: 'unfair.impossible_move',
  drew_out_of_turn: 'unfair.drew_out_of_turn',
  changed_drawing: 'unfair.changed_drawing',
  other_course: 'unfair.other_course',
  wrong_clock: 'unfair.wrong_clock',
  kept_back: 'unfair.kept_back',
  silent: 'unfair.silent',
  held_up: 'unfair.held_up',
}
