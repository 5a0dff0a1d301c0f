// Every page and state as people meet it who listen, who see little, or who have no mouse: axe-core's rules in both themes, and all
// that can be pressed in reach at twice the size. node e2e/access.mjs [PART OF A NAME]
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { meet, tell } from './stories.mjs'
import { views } from './views.mjs'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** What breaks a rule, as lines to read. */
async function faults(page, rules = { type: 'tag', values: RULES }) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  const { violations } = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ['violations'] }), rules)
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')} (${failureSummary.split('\n')[1]?.trim()})`),
  )
}

async function inBothThemes(page) {
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await faults(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = await faults(page, { type: 'rule', values: ['color-contrast'] })
  return [...light, ...dark.map((fault) => `at night: ${fault}`)]
}

/** What opens over or within a page. */
const opened = {
  'settings over a page': ['mirror', async (page) => page.keyboard.press('Control+,')],
  'settings with a newer version': [
    'mirror',
    async (page) => {
      await page.evaluate(() => (window.scripted.updates.now = { state: 'fetching', version: '2.0.0', percent: 40 }))
      await page.keyboard.press('Control+,')
      await page.getByTestId('updates').waitFor()
    },
  ],
  'settings beside a call': ['call-open', async (page) => page.keyboard.press('Control+,')],
  'keys over a page': ['welcome', async (page) => page.keyboard.press('?')],
  'keys beside a call': ['call-veiled', async (page) => page.keyboard.press('?')],
  'a report': ['parting', async (page) => page.getByTestId('report').click()],
  'a report in a call': ['call-open', async (page) => page.getByTestId('report').click()],
  'a block that is asked again': ['history', async (page) => page.getByTestId('block').first().click()],
  'the four pictures': ['call-open', async (page) => page.getByTestId('proof').click()],
}

/** Presses that no pointer can reach, wherever one scrolls. */
function outOfReach() {
  const lost = []
  const modal = document.querySelector('dialog:modal')
  // What lies over a page leaves the bars of a call free; it closes with Esc.
  const over = document.querySelector('[role=dialog], details[open]')
  for (const element of (modal ?? document).querySelectorAll('button, summary, select, textarea, input, a[href]')) {
    if (!modal && over && !over.contains(element) && !element.closest('[data-page=call] > footer')) continue
    if (element.disabled || element.closest('[inert]') || element.tabIndex < 0 || element.closest('[data-testid=board]')) continue
    element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' })
    const box = element.getBoundingClientRect()
    const name = element.dataset.testid ?? element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 30)
    if (!element.checkVisibility({ visibilityProperty: true })) continue
    if (box.width === 0 || box.height === 0) {
      lost.push(`${name}: no size`)
      continue
    }
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
    const label = element.closest('label')
    if (hit && (element.contains(hit) || hit.contains(element) && hit.tagName === 'LABEL' || label?.contains(hit))) continue
    lost.push(`${name}: ${hit ? `under ${hit.tagName.toLowerCase()} ${hit.textContent.trim().slice(0, 24)}` : 'outside the window'}`)
  }
  for (const heading of document.querySelectorAll('.page main'))
    if (heading.scrollWidth > heading.clientWidth + 1) lost.push(`scrolls to both sides: ${heading.scrollWidth} of ${heading.clientWidth}`)
  return lost
}

const pressed = (state) => async (page) => state.press && page.keyboard.press(state.press)
const all = [
  ...Object.entries(views).map(([name, state]) => [name, name, pressed(state)]),
  ...Object.entries(opened).map(([what, [name, open]]) => [what, name, open]),
]
// A window of 1280 x 800 and one of 900 x 600, seen at 200 %.
const small = [
  { width: 640, height: 400 },
  { width: 450, height: 300 },
]

await tell(
  Object.fromEntries(
    all.map(([what, name, open]) => [
      `breaks no rule, and is in reach at twice the size: ${what}`,
      async () => {
        const { page, close } = await meet(name)
        await open(page)
        assert.deepEqual(await inBothThemes(page), [])
        for (const viewport of small) {
          await page.setViewportSize(viewport)
          await page.waitForTimeout(50)
          assert.deepEqual(await page.evaluate(outOfReach), [], `${viewport.width} x ${viewport.height}`)
        }
        await close()
      },
    ]),
  ),
)
