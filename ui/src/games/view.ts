// What the page is told of games.
export type Game = 'draw_and_guess' | 'same_word' | 'finish_my_drawing' | 'gomoku' | 'two_truths'
export type Twist = 'one_stroke' | 'one_colour' | 'blind'
export type Play = { game: Game; twist: Twist | null }
export type Difficulty = 'easy' | 'medium' | 'hard'
export type Verdict = 'right' | 'close' | 'wrong'
export type Offer = { word: string; difficulty: Difficulty }
export type Guess = { text: string; verdict: Verdict | null }
export type Outcome = 'guessed' | 'said_aloud' | 'time_up'
export type Unfair = 'changed_secret' | 'wrong_verdict' | 'impossible_move' | 'drew_out_of_turn' | 'changed_drawing'
export type Area = { left: number; top: number; right: number; bottom: number }
export type Permit = { draw: boolean; area: Area; one_stroke: boolean; one_colour: boolean; blind: boolean; hidden: boolean }
export type Phase = { phase: 'ready'; you: boolean; they: boolean; after_round: boolean } | { phase: 'playing' } | { phase: 'over' }
export type DrawAndGuess = {
  you_draw: boolean
  offers: Offer[]
  word: string | null
  pattern: string[]
  guesses: Guess[]
  hint_left: boolean
  outcome: Outcome | null
}
export type Scene =
  | ({ scene: 'draw_and_guess' } & DrawAndGuess)
  | { scene: 'same_word'; word: string | null; you_done: boolean; they_done: boolean; revealed: boolean; you_left: boolean }
  | { scene: 'finish_my_drawing'; part: number; parts: number; you_draw: boolean; folded: Area[] }
  | { scene: 'gomoku'; board: string; you_black: boolean; last: number | null; line: number[]; you_won: boolean | null }
  | { scene: 'two_truths'; you_tell: boolean; statements: string[]; picked: number | null; lie: number | null }
export type GameView = {
  game: Game
  twist: Twist | null
  language: string | null
  phase: Phase
  round: number
  rounds: number
  paused: boolean
  left_ms: number | null
  your_turn: boolean
  permit: Permit
  scene: Scene
}
export type Action =
  | { action: 'ready' }
  | { action: 'choose_word'; index: number }
  | { action: 'done' }
  | { action: 'guess'; text: string }
  | { action: 'give_hint' }
  | { action: 'said_aloud' }
  | { action: 'place'; cell: number }
  | { action: 'tell'; statements: [string, string, string]; lie: number }
  | { action: 'pick'; statement: number }
  | { action: 'stop' }

export interface Games {
  game: GameView | null
  wish: Play | null
  unfair: Unfair | null
}
