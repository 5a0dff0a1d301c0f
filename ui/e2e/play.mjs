// Every game from the page, by keyboard alone where it can be, and what the shell hears of it: node e2e/play.mjs [PART OF A NAME]
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { board, games } from './games.mjs'
import { meet as open, tell } from './stories.mjs'
import { viewOf, views } from './views.mjs'

async function meet(name, locale) {
  const story = await open(name, locale)
  const played = async () => (await story.commands()).filter((command) => command.do === 'play').map(({ action }) => action)
  const show = (next) => story.say({ event: 'view', view: viewOf({ page: { ...views['call-open'].page, ...next } }) })
  return { ...story, played, show }
}

await tell({
  async 'a game is wished for, and the wish taken back, without the mouse'() {
    const { page, commands, show, close } = await meet('call-open')
    await page.keyboard.press('y')
    await page.getByTestId('choose').waitFor()
    assert.equal(await page.evaluate(() => document.activeElement?.value), 'draw_and_guess', 'the first game has the focus')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowRight')
    await page.getByTestId('wish').focus()
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [{ do: 'wish', play: { game: 'same_word', twist: 'one_stroke' } }])
    await show({ wish: { game: 'gomoku', twist: null } })
    await page.getByTestId('wish-stands').getByText('Gomoku').waitFor()
    await page.keyboard.press('y')
    await page.getByTestId('wished').waitFor()
    assert.equal(await page.evaluate(() => document.activeElement?.value), 'gomoku', 'what is wished for has the focus')
    // What is chosen now stays chosen, though the view of an earlier wish comes late.
    await page.getByTestId('game-two_truths').check()
    await show({ wish: { game: 'gomoku', twist: null } })
    assert.ok(await page.getByTestId('game-two_truths').isChecked())
    await page.getByTestId('wish').waitFor()
    await page.getByTestId('game-gomoku').check()
    await page.getByTestId('take-back').focus()
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [{ do: 'wish', play: null }])
    await page.keyboard.press('y')
    await page.keyboard.press('Escape')
    assert.equal(await page.getByTestId('choose').count(), 0, 'Esc closes the choice and does not leave')
    assert.deepEqual(await commands(), [])
    await close()
  },

  async 'the rules are read in one line before a round, and Enter is ready'() {
    const { page, played, show, close } = await meet('game-rules')
    const rules = await page.getByTestId('rules').innerText()
    assert.match(rules, /the other guesses it/)
    assert.match(rules, /one stroke/i)
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [{ action: 'ready' }])
    await show(games['rules-ready'])
    await page.getByTestId('rules').getByText('Waiting for them').waitFor()
    assert.equal(await page.getByTestId('ready').count(), 0)
    await close()
  },

  async 'the drawer takes one of three words, hints, and hears the word said'() {
    const { page, played, show, close } = await meet('game-guess-offers')
    assert.equal(await page.getByTestId('words').getByRole('button').count(), 3)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [{ action: 'choose_word', index: 1 }])
    await show(games['guess-draw'])
    await page.getByText('Draw: lighthouse').first().waitFor()
    await page.getByTestId('give-hint').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [{ action: 'give_hint' }, { action: 'said_aloud' }])
    assert.match(await page.getByTestId('countdown').innerText(), /00:53/)
    const share = Number(await page.locator('[data-share]').getAttribute('data-share'))
    await show({ game: { ...games['guess-draw'].game, left_ms: 13_000 } })
    await page.getByText('00:13').waitFor()
    assert.ok(Number(await page.locator('[data-share]').getAttribute('data-share')) < share / 2, 'the ring empties')
    await close()
  },

  async 'a guess is typed and sent, a close one is whispered and read out'() {
    const { page, commands, show, close } = await meet('game-guess-guess')
    await page.keyboard.type('  Lighthouse m p 1')
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [{ do: 'play', action: { action: 'guess', text: 'Lighthouse m p 1' } }], 'keys of the call do nothing while one types')
    assert.equal(await page.getByTestId('guess').inputValue(), '')
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [], 'nothing is no guess')
    await show(games['guess-close'])
    await page.getByTestId('whisper').waitFor()
    await page.locator('[aria-live]', { hasText: 'Only you are told' }).waitFor({ state: 'attached' })
    assert.equal(await page.getByTestId('guesses').locator('li').count(), 3)
    await close()
  },

  async 'nothing can be done or drawn while the game is paused'() {
    const { page, commands, close } = await meet('game-guess-paused')
    await page.getByTestId('paused').getByText('veiled or away').waitFor()
    assert.ok(await page.getByTestId('guess').isDisabled())
    const box = await page.getByTestId('paper').boundingBox()
    await page.mouse.move(box.x + 20, box.y + 20)
    await page.mouse.down()
    await page.mouse.move(box.x + 120, box.y + 60, { steps: 4 })
    await page.mouse.up()
    assert.deepEqual((await commands()).filter((command) => command.do !== 'move_cursor'), [])
    await close()
  },

  async 'an app that holds the game up is named while the game rests, and the game can be ended'() {
    const { page, played, close } = await meet('game-guess-held-up')
    await page.getByTestId('paused').waitFor()
    await page.getByTestId('unfair').getByText('nothing seen from here asks for a pause').waitFor()
    await page.getByTestId('stop-game').focus()
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [{ action: 'stop' }])
    await close()
  },

  async 'a veil keeps nobody from reading how it ended or asking for the same again'() {
    const { page, commands, close } = await meet('game-truths-over-veiled')
    await page.getByTestId('over').waitFor()
    assert.equal(await page.getByTestId('paused').count(), 0)
    await page.getByTestId('again').click()
    assert.deepEqual(await commands(), [{ do: 'wish', play: { game: 'two_truths', twist: null } }])
    await close()
  },

  async 'whoever guesses cannot draw, whoever draws can'() {
    for (const [name, draws] of [['game-guess-guess', false], ['game-guess-draw', true]]) {
      const { page, commands, close } = await meet(name)
      const box = await page.getByTestId('paper').boundingBox()
      await page.mouse.move(box.x + 20, box.y + 20)
      await page.mouse.down()
      await page.mouse.move(box.x + 120, box.y + 60, { steps: 4 })
      await page.mouse.up()
      const heard = (await commands()).some((command) => command.do === 'draw_end')
      assert.equal(heard, draws, name)
      await close()
    }
  },

  async 'the other half of Same word is hidden until both are done'() {
    const { page, played, show, close } = await meet('game-same')
    const [fold, paper] = [await page.getByTestId('fold').boundingBox(), await page.getByTestId('paper').boundingBox()]
    assert.ok(Math.abs(fold.x - (paper.x + paper.width / 2)) < 2 && Math.abs(fold.width - paper.width / 2) < 2, 'the right half')
    await page.getByTestId('drawing-done').focus()
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [{ action: 'done' }])
    await show(games['same-over'])
    await page.getByTestId('over').getByText('sailing boat').waitFor()
    assert.equal(await page.getByTestId('fold').count(), 0)
    await close()
  },

  async 'folded paper covers what is not to be seen yet, and opens at the end'() {
    const { page, show, close } = await meet('game-fold')
    const [fold, paper] = [await page.getByTestId('fold').boundingBox(), await page.getByTestId('paper').boundingBox()]
    assert.ok(Math.abs(fold.height - paper.height * 0.47) < 2 && Math.abs(fold.y - paper.y) < 2)
    // Of the other's band the edge alone is there: two lines come down to it, and what lies above is in no layer of the page.
    const edge = await page.getByTestId('fold-edge').boundingBox()
    assert.ok(Math.abs(edge.y - (fold.y + fold.height)) < 2 && Math.abs(edge.height - paper.height * 0.03) < 2, JSON.stringify(edge))
    const lines = await page.getByTestId('fold-edge').evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, canvas.height - 1, canvas.width, 1)
      const inked = [...Array(canvas.width).keys()].filter((x) => data[4 * x + 3] > 128).map((x) => x / canvas.width)
      return inked.filter((x, at) => at === 0 || x - inked[at - 1] > 0.01)
    })
    assert.equal(lines.length, 2, `lines at ${lines}`)
    assert.ok(Math.abs(lines[0] - 0.4) < 0.02 && Math.abs(lines[1] - 0.6) < 0.02, `lines at ${lines}`)
    await show(games['fold-over'])
    await page.getByTestId('over').waitFor()
    assert.equal(await page.getByTestId('fold').count(), 0)
    assert.equal(await page.getByTestId('fold-edge').count(), 0)
    await close()
  },

  async 'who draws blind sees a blank sheet, and draws all the same'() {
    const { page, commands, close } = await meet('game-guess-blind')
    const box = await page.getByTestId('blind').boundingBox()
    await page.mouse.move(box.x + 40, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + 200, box.y + 90, { steps: 4 })
    await page.mouse.up()
    assert.ok((await commands()).some((command) => command.do === 'draw_end'))
    await close()
  },

  async 'Gomoku is played with arrows and Enter, and only on free points in turn'() {
    const { page, played, show, close } = await meet('game-gomoku')
    const here = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
    assert.equal(await here(), 'H8, your stone')
    await page.keyboard.press('Enter')
    for (const key of ['ArrowLeft', 'ArrowUp']) await page.keyboard.press(key)
    assert.equal(await here(), 'G9, free')
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [{ action: 'place', cell: 96 }])
    await show(games['gomoku-waits'])
    await page.locator('[data-testid=board][data-turn=they]').waitFor()
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [], 'not in their turn')
    for (let step = 0; step < 20; step += 1) await page.keyboard.press('ArrowUp')
    assert.equal(await here(), 'F15, free', 'the edge holds')
    await show({ game: { ...games.gomoku.game, scene: { ...games.gomoku.game.scene, board: board({}), last: null } } })
    await page.locator('[data-testid=board][data-turn=you]').waitFor()
    await page.locator('[data-cell="0"]').click()
    assert.deepEqual(await played(), [{ action: 'place', cell: 0 }])
    await close()
  },

  async 'what happens in each game is read out to whoever listens'() {
    const { page, show, close } = await meet('call-open')
    const read = (words) => page.locator('[aria-live]', { hasText: words }).waitFor({ state: 'attached' })
    for (const [name, words] of [
      ['rules', 'It begins when both of you are ready.'],
      ['guess-offers', 'Choose a word to draw.'],
      ['guess-draw', 'They guess: a tower by the sea. Draw: lighthouse.'],
      ['guess-guess', 'They draw. What is it? Letters known: ······ ·o··'],
      ['guess-paused', 'The game rests while one of you is veiled or away.'],
      ['guess-over', 'Time is up. It was: lighthouse.'],
      ['same', 'Draw: sailing boat.'],
      ['same-over', 'Two drawings of one word: sailing boat.'],
      ['fold', 'Finish it from the lines at the edge.'],
      ['fold-over', 'Unfolded: this is what you made together.'],
      ['gomoku', 'They played I10. Your move.'],
      ['gomoku-waits', 'Their move.'],
      ['gomoku-over', 'Five in a row: yours.'],
      ['truths-write', 'Write two truths and one lie about yourself.'],
      ['truths-pick', 'Which one is not true?'],
      ['truths-over', 'That one is true.'],
    ]) {
      await show({ game: null })
      await show(games[name])
      await read(words)
    }
    await close()
  },

  async 'the same game again is a wish like any other'() {
    const { page, commands, show, close } = await meet('game-gomoku-over')
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [{ do: 'wish', play: { game: 'gomoku', twist: null } }])
    await show({ ...games['gomoku-over'], wish: { game: 'gomoku', twist: null } })
    await page.getByTestId('again-wished').waitFor()
    await page.getByTestId('back-to-paper').focus()
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [{ do: 'play', action: { action: 'stop' } }])
    await close()
  },

  async 'two truths are written, laid down, and one is picked'() {
    const { page, played, show, close } = await meet('game-truths-write')
    const field = (at) => page.getByTestId(`statement-${at}`)
    assert.ok(await page.getByTestId('send-statements').isDisabled())
    await page.keyboard.type('I can whistle')
    await field(1).fill('i can whistle ')
    await field(2).fill('I have a twin')
    await page.getByText('Two of them are the same').waitFor()
    await field(1).fill('I was born at sea')
    await page.getByTestId('lie-1').check()
    await field(1).press('Enter')
    assert.deepEqual(await played(), [{ action: 'tell', statements: ['I can whistle', 'I was born at sea', 'I have a twin'], lie: 1 }])
    await show(games['truths-pick'])
    await page.getByTestId('card-2').focus()
    await page.keyboard.press('Enter')
    assert.deepEqual(await played(), [{ action: 'pick', statement: 2 }])
    await show(games['truths-over'])
    await page.getByTestId('over').getByText('That one is true').waitFor()
    assert.ok(await page.getByTestId('card-0').isDisabled())
    await close()
  },

  async 'what their app should not have done is said kindly, in every game and language'() {
    const shown = ['guess-guess', 'same', 'fold', 'gomoku', 'truths-pick']
    for (const locale of ['en', 'zh']) {
      const words = JSON.parse(await readFile(new URL(`../../assets/locales/${locale}.json`, import.meta.url), 'utf8'))
      const said = Object.keys(words).filter((key) => key.startsWith('unfair.'))
      const { page, show, close } = await meet('call-open', locale)
      for (const key of said) {
        for (const name of shown) {
          await show({ ...games[name], unfair: key.slice('unfair.'.length) })
          await page.getByTestId('game-panel').getByRole('status').filter({ hasText: words[key] }).waitFor()
        }
      }
      assert.equal(said.length, 10)
      await show(games.gomoku)
      await page.getByTestId('unfair').waitFor({ state: 'detached' })
      await close()
    }
  },

  async 'sounds are made in the page, and not when they are switched off'() {
    for (const on of [true, false]) {
      const { page, show, close } = await meet('call-open')
      await page.evaluate(() => {
        window.struck = 0
        const start = OscillatorNode.prototype.start
        OscillatorNode.prototype.start = function (...given) {
          window.struck += 1
          return start.apply(this, given)
        }
      })
      await page.keyboard.press('y')
      if (!on) await page.getByRole('switch').uncheck()
      await page.keyboard.press('y')
      await show(games['guess-guess'])
      await page.getByTestId('hint').waitFor()
      assert.equal((await page.evaluate(() => window.struck)) > 0, on, on ? 'a tone as the game begins' : 'silence')
      await close()
    }
  },

  async 'somebody who waits is offered words to draw'() {
    const { page, close } = await meet('waiting')
    const words = new Set()
    for (let turn = 0; turn < 5; turn += 1) {
      words.add(await page.getByTestId('prompt').locator('span').innerText())
      await page.getByTestId('another-prompt').focus()
      await page.keyboard.press('Enter')
    }
    assert.equal(words.size, 5)
    await close()
  },
})
