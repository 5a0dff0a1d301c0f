// From sign-in to parting without a mouse, and the order in which Tab goes round every page. node e2e/keyboard.mjs [PART OF A NAME]
import assert from 'node:assert/strict'
import { meet, tell } from './stories.mjs'
import { viewOf, views } from './views.mjs'

const focused = (page) => page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.tagName)

/** Goes to a button by Tab alone and presses it. */
async function reach(page, id, key = 'Enter') {
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab')
    if ((await focused(page)) !== id) continue
    await page.keyboard.press(key)
    return
  }
  assert.fail(`Tab never comes to ${id}`)
}

/** All that Tab should come to, in the order of the page; of a group of radio buttons one. */
function stops() {
  const groups = new Set()
  const found = []
  for (const element of document.querySelectorAll('button, summary, select, textarea, input, a[href], [tabindex="0"]')) {
    if (element.disabled || element.tabIndex < 0 || element.closest('[inert]') || !element.checkVisibility({ visibilityProperty: true })) continue
    if (element.type === 'radio') {
      const group = [...document.querySelectorAll(`input[type=radio][name="${element.name}"]`)]
      const stop = group.find(({ checked }) => checked) ?? group[0]
      if (groups.has(element.name) || stop !== element) continue
      groups.add(element.name)
    }
    element.dataset.stop = String(found.length)
    found.push(element.dataset.testid ?? element.getAttribute('aria-label') ?? element.textContent.trim())
  }
  document.activeElement?.blur()
  return found
}

/** Where the focus is, and whether it can be seen there. */
function here() {
  const element = document.activeElement
  if (!element || element === document.body) return null
  const box = element.getBoundingClientRect()
  const marked = [element, element.nextElementSibling, element.closest('label')].some(
    (one) => one && getComputedStyle(one).outlineStyle !== 'none' && getComputedStyle(one).outlineWidth !== '0px',
  )
  return { stop: element.dataset.stop, marked, inside: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth }
}

/** Those that bring something to press, once each. */
const GAMES = ['game-rules', 'game-guess-offers', 'game-guess-guess', 'game-gomoku', 'game-truths-write', 'game-fold-over']

const order = Object.fromEntries(
  Object.entries(views)
    .filter(([name, state]) => state.press === undefined && (!name.startsWith('game-') || GAMES.includes(name)))
    .map(([name]) => [
      `Tab goes round in order and is seen: ${name}`,
      async () => {
        const { page, close } = await meet(name)
        const names = await page.evaluate(stops)
        const visited = []
        for (let step = 0; step <= names.length + 1; step += 1) {
          await page.keyboard.press('Tab')
          const at = await page.evaluate(here)
          // Past the last one the window itself has its turn.
          if (at === null) continue
          assert.ok(at.stop !== undefined, `${name}: a stop that was not expected after ${names[visited.at(-1)]}`)
          assert.ok(at.marked, `no mark of the focus on ${names[at.stop]}`)
          assert.ok(at.inside, `the focus is outside the window on ${names[at.stop]}`)
          if (visited.includes(Number(at.stop))) break
          visited.push(Number(at.stop))
        }
        // Where something on the page takes the focus first, the round begins there.
        const first = visited.indexOf(Math.min(...visited))
        const round = [...visited.slice(first), ...visited.slice(0, first)]
        assert.deepEqual(round, names.map((_, index) => index), `${round.map((index) => names[index])} instead of ${names}`)
        await close()
      },
    ]),
)

await tell({
  async 'from sign-in to parting without a mouse'() {
    const { page, commands, say, close } = await meet('welcome')
    const turn = async (name) => {
      await say({ event: 'view', view: viewOf(views[name]) })
      await page.waitForSelector(`[data-page="${views[name].page.page}"]`)
      await page.waitForFunction(() => document.activeElement !== document.body, null, { timeout: 5000 })
    }
    await reach(page, 'sign-in')
    await turn('signing_in')
    assert.equal(await focused(page), 'H1', 'a new page begins at its heading')
    await turn('profile')
    await reach(page, 'profile-save')
    await reach(page, 'open-mirror')
    await turn('mirror')
    await reach(page, 'meet')
    await turn('waiting')
    await turn('match')
    await reach(page, 'match-meet')
    await turn('call-veiled')
    await reach(page, 'reveal')
    await turn('call-open')
    await page.keyboard.press('y')
    await page.getByTestId('choose').waitFor()
    await page.keyboard.press('ArrowDown')
    await reach(page, 'wish')
    await page.keyboard.press('Control+z')
    await reach(page, 'report')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Escape')
    assert.equal(await page.locator('dialog:modal').count(), 0)
    await reach(page, 'leave')
    await turn('parting')
    await reach(page, 'follow-yes', 'Space')
    await turn('parting-mutual')
    await reach(page, 'open-friends')
    await turn('friends')
    await reach(page, 'open-conversation')
    await turn('friends-conversation')
    await reach(page, 'write', 'a')
    await page.keyboard.press('Enter')
    assert.deepEqual(
      (await commands()).map((command) => command.do),
      ['sign_in', 'save_profile', 'open_mirror', 'meet', 'answer_match', 'reveal', 'wish', 'undo', 'leave', 'answer_follow', 'open_friends', 'open_conversation', 'write'],
    )
    await close()
  },

  async 'nothing moves for those who want no motion'() {
    for (const name of ['match', 'call-covered', 'welcome-refused']) {
      const { page, close } = await meet(name)
      const moving = await page.evaluate(() => document.getAnimations().length)
      assert.equal(moving, 0, name)
      await close()
    }
  },

  ...order,
})
