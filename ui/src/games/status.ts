// What a game says of itself in a sentence or two: seen in the panel, and read out when it changes.
import { sentences, t } from '../words/words.svelte'
import { CELLS, pointName } from './board'
import { GAME_NAMES } from './tables'
import type { GameView, Scene } from './view'

type Of<Name extends Scene['scene']> = Extract<Scene, { scene: Name }>

export function status(game: GameView): string {
  if (game.phase.phase === 'over') return outcome(game)
  if (game.phase.phase === 'playing') return game.paused ? t('play.paused') : playing(game)
  const waits = t(game.phase.you ? 'play.waits_for_them' : game.phase.they ? 'play.they_are_ready' : 'play.both_ready')
  return game.phase.after_round ? sentences(outcome(game), waits) : waits
}

function playing({ scene }: GameView): string {
  switch (scene.scene) {
    case 'draw_and_guess':
      return scene.you_draw ? drawing(scene) : t(scene.pattern.length > 0 ? 'play.they_draw' : 'play.they_choose')
    case 'same_word':
      return together(scene)
    case 'finish_my_drawing':
      if (!scene.you_draw) return t('play.they_fold')
      if (scene.part === 1) return t('play.fold_first')
      return t(scene.part === scene.parts ? 'play.fold_last' : 'play.fold_next')
    case 'gomoku':
      return gomoku(scene)
    case 'two_truths':
      if (scene.statements.length === 0) return t(scene.you_tell ? 'play.write' : 'play.they_write')
      return t(scene.you_tell ? 'play.they_pick' : 'play.pick')
  }
}

/** Whoever does not see the board hears where they played. */
function gomoku(scene: Of<'gomoku'>): string {
  if (!turn(scene)) return t('play.their_move')
  return scene.last === null ? t('play.your_move') : t('play.they_placed', { point: pointName(scene.last) })
}

function drawing({ word }: Of<'draw_and_guess'>): string {
  return word === null ? t('play.choose_word') : t('play.you_draw', { word })
}

function together({ word, you_done, they_done, revealed }: Of<'same_word'>): string {
  if (revealed) return t('over.revealed', { word: word ?? '' })
  if (you_done) return t('play.still_drawing')
  return sentences(t('play.you_draw', { word: word ?? '' }), t(they_done ? 'play.they_are_done' : 'play.hidden'))
}

/** Black begins, so the number of stones tells whose turn it is. */
export function turn({ board, you_black }: Of<'gomoku'>): boolean {
  const stones = [...board].filter((cell) => cell !== '.').length
  return (stones % 2 === 0) === you_black
}

/** How a round came out. */
export function outcome({ scene }: GameView): string {
  switch (scene.scene) {
    case 'draw_and_guess':
      return guessing(scene)
    case 'same_word':
      return t('over.revealed', { word: scene.word ?? '' })
    case 'finish_my_drawing':
      return t('over.unfolded')
    case 'gomoku':
      if (scene.you_won === null) return t(stonesOf(scene.board) === CELLS ? 'over.full' : 'over.ended')
      return t(scene.you_won ? 'over.you_won' : 'over.they_won')
    case 'two_truths':
      return truths(scene)
  }
}

function stonesOf(board: string): number {
  return [...board].filter((cell) => cell !== '.').length
}

function guessing({ outcome: end, word, you_draw }: Of<'draw_and_guess'>): string {
  const said = { word: word ?? '' }
  switch (end) {
    case 'guessed':
      return t(you_draw ? 'over.they_guessed' : 'over.you_guessed', said)
    case 'said_aloud':
      return t('over.aloud', said)
    case 'time_up':
      return t('over.time_up', said)
    case null:
      return t('over.ended')
  }
}

function truths({ you_tell, picked, lie }: Of<'two_truths'>): string {
  if (picked === null || lie === null) return t('over.ended')
  if (you_tell) return t(picked === lie ? 'over.they_found_it' : 'over.they_missed_it')
  return t(picked === lie ? 'over.you_found_it' : 'over.you_missed_it')
}

export function heading(game: GameView): string {
  return t(GAME_NAMES[game.game])
}
