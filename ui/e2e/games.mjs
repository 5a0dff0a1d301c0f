// What the scripted shell says of games: one view for each state that a game can be in.

const whole = { left: 0, top: 0, right: 16000, bottom: 10000 }
const free = { draw: true, area: whole, one_stroke: false, one_colour: false, blind: false, hidden: false }
const nothing = { ...free, draw: false }
const frame = { twist: null, language: 'en', phase: { phase: 'playing' }, round: 1, rounds: 2, paused: false, left_ms: 52_400, your_turn: true, permit: nothing }
const ready = (given = {}) => ({ phase: 'ready', you: false, they: false, after_round: false, ...given })

const guess = (given = {}) => ({
  ...frame,
  game: 'draw_and_guess',
  scene: { scene: 'draw_and_guess', you_draw: false, offers: [], word: null, pattern: [], guesses: [], hint_left: true, outcome: null, ...given },
})
const offers = [
  { word: 'house', difficulty: 'easy' },
  { word: 'lighthouse', difficulty: 'medium' },
  { word: 'calm before the storm', difficulty: 'hard' },
]
const guesses = [
  { text: 'windmill', verdict: 'wrong' },
  { text: 'a tower by the sea', verdict: 'wrong' },
  { text: 'lighthose', verdict: 'close' },
]
const same = (given = {}) => ({
  ...frame,
  game: 'same_word',
  rounds: 1,
  permit: { ...free, area: { ...whole, right: 8000 }, hidden: true },
  scene: { scene: 'same_word', word: 'sailing boat', you_done: false, they_done: false, revealed: false, you_left: true, ...given },
})
const band = (top, bottom) => ({ left: 0, top, right: 16000, bottom })
const lineDown = (x) => ({ stroke: { colour: 0x2b2b2b, size: 60, points: [{ x, y: 4600, pressure: 128 }, { x, y: 4800, pressure: 128 }, { x, y: 5000, pressure: 128 }] } })
const edgeMarks = [lineDown(6400), lineDown(9600)]
const fold = (given = {}) => ({
  ...frame,
  game: 'finish_my_drawing',
  rounds: 1,
  permit: { ...free, area: band(5000, 10000), hidden: true },
  scene: { scene: 'finish_my_drawing', part: 2, parts: 2, you_draw: true, folded: [band(0, 4700)], edges: [{ area: band(4700, 5000), marks: edgeMarks }], ...given },
})
export const board = (stones) => [...'.'.repeat(225)].map((cell, at) => stones[at] ?? cell).join('')
const stones = { 112: 'b', 113: 'w', 97: 'b', 98: 'w', 127: 'b', 128: 'w', 82: 'b', 142: 'w', 99: 'b', 83: 'w' }
const gomoku = (given = {}) => ({
  ...frame,
  game: 'gomoku',
  rounds: 1,
  left_ms: null,
  scene: { scene: 'gomoku', board: board(stones), you_black: true, last: 83, line: [], you_won: null, ...given },
})
const statements = ['I have slept under a piano.', 'I once won a goldfish at a fair and kept it for eleven years.', 'I speak four languages.']
const truths = (given = {}) => ({
  ...frame,
  game: 'two_truths',
  left_ms: null,
  scene: { scene: 'two_truths', you_tell: false, statements: [], picked: null, lie: null, ...given },
})
const over = { phase: { phase: 'over' }, left_ms: null, permit: nothing }

/** Added to the view of a call. */
export const games = {
  choose: { press: 'y' },
  'choose-wished': { press: 'y', wish: { game: 'gomoku', twist: null } },
  rules: { game: { ...guess(), phase: ready(), round: 0, twist: 'one_stroke', left_ms: null } },
  'rules-ready': { game: { ...gomoku(), phase: ready({ you: true }), round: 0 } },
  'guess-offers': { game: { ...guess({ you_draw: true, offers }), left_ms: 14_000 } },
  'guess-waits': { game: { ...guess(), your_turn: false } },
  'guess-draw': { game: { ...guess({ you_draw: true, word: 'lighthouse', pattern: ['l_________'], guesses: guesses.slice(0, 2) }), permit: free } },
  'guess-blind': {
    game: { ...guess({ you_draw: true, word: 'lighthouse', pattern: ['__________'] }), twist: 'blind', permit: { ...free, blind: true } },
  },
  'guess-guess': { game: guess({ pattern: ['______', '_o__'], guesses: guesses.slice(0, 2) }) },
  'guess-close': { game: guess({ pattern: ['____________________', '_h_', '_t___'], guesses }) },
  'guess-paused': { game: { ...guess({ pattern: ['__g_______'], guesses: guesses.slice(0, 1) }), paused: true } },
  'guess-held-up': { game: { ...guess({ pattern: ['__g_______'] }), paused: true }, unfair: 'held_up' },
  'guess-unfair': { game: guess({ pattern: ['__g_______'] }), unfair: 'changed_secret' },
  'guess-round': {
    game: { ...guess({ word: 'lighthouse', pattern: ['lighthouse'], guesses: [...guesses, { text: 'lighthouse', verdict: 'right' }], outcome: 'guessed' }), phase: ready({ after_round: true }), left_ms: null },
  },
  'guess-over': { game: { ...guess({ you_draw: true, word: 'lighthouse', guesses, outcome: 'time_up' }), ...over, round: 2 } },
  same: { game: same() },
  'same-done': { game: { ...same({ you_done: true, you_left: false }), permit: nothing } },
  'same-over': { game: { ...same({ you_done: true, they_done: true, revealed: true }), ...over } },
  fold: { game: fold() },
  'fold-waits': { game: { ...fold({ you_draw: false, folded: [band(5300, 10000)], edges: [] }), permit: nothing } },
  'fold-over': { game: { ...fold({ folded: [] }), ...over } },
  gomoku: { game: gomoku() },
  'gomoku-waits': { game: { ...gomoku({ board: board({ ...stones, 84: 'b' }), last: 84 }), your_turn: false } },
  'gomoku-over': { game: { ...gomoku({ board: board({ ...stones, 67: 'b' }), last: 67, line: [67, 82, 97, 112, 127], you_won: true }), ...over } },
  'truths-write': { game: truths({ you_tell: true }) },
  'truths-pick': { game: truths({ statements }) },
  'truths-over-veiled': { game: { ...truths({ statements, picked: 1, lie: 2 }), ...over, paused: true } },
  'truths-over': { game: { ...truths({ statements, picked: 1, lie: 2 }), ...over } },
}
