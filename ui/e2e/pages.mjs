// Every page in both themes, two sizes and each language, as pictures in the folder given: node e2e/pages.mjs FOLDER [NAME]
// It fails when a page is missing, throws, breaks the content security policy, or has text that is cut off.
import { mkdir } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import { serve } from './server.mjs'
import { flags, scripted } from './shell.mjs'
import { views } from './views.mjs'

const [folder, only] = process.argv.slice(2)
if (!folder) {
  console.error('usage: node e2e/pages.mjs FOLDER [NAME]')
  process.exit(2)
}
const sizes = [
  { width: 1280, height: 800 },
  { width: 900, height: 600 },
]

/** Names the elements whose own text does not fit, or that lie outside the window with no way to scroll there. */
function cutOff() {
  const faults = []
  for (const element of document.querySelectorAll('button, h1, h2, p, span, dd, dt, figcaption, label')) {
    const box = element.getBoundingClientRect()
    if (box.width === 0 || element.closest('.unseen')) continue
    const words = element.textContent.trim().slice(0, 40)
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && getComputedStyle(element).display !== 'inline')
      faults.push(`too wide: ${words}`)
    if (box.right > innerWidth + 1 || box.left < -1) faults.push(`beside the window: ${words}`)
    for (let around = element.parentElement; around; around = around.parentElement) {
      const { overflowY } = getComputedStyle(around)
      if (overflowY !== 'auto' && overflowY !== 'hidden') continue
      const edge = around.getBoundingClientRect()
      if (overflowY === 'auto') {
        // What scrolls up and down still has an edge at its side, where the way out of a game would be behind.
        if (element.closest('[data-testid=game-panel]') && box.right > edge.right + 1) faults.push(`beside an edge: ${words || element.getAttribute('aria-label')}`)
        break
      }
      if (box.bottom > edge.bottom + 1 || box.right > edge.right + 1) faults.push(`behind an edge: ${words}`)
    }
    if ((box.bottom > innerHeight + 1 || box.top < -1) && !element.closest('main')) faults.push(`below the window: ${words}`)
  }
  return faults
}

await mkdir(folder, { recursive: true })
const { server, address } = await serve()
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })
const faults = []
let count = 0
for (const [name, state] of Object.entries(views)) {
  if (only && !name.startsWith(only)) continue
  for (const locale of ['en', 'zh-CN']) {
    for (const viewport of sizes) {
      for (const colorScheme of ['light', 'dark']) {
        const shot = `${name}-${viewport.width}-${colorScheme}-${locale.slice(0, 2)}`
        const context = await browser.newContext({ viewport, locale, colorScheme, reducedMotion: 'reduce' })
        const page = await context.newPage()
        page.on('pageerror', (error) => faults.push(`${shot}: ${error.message}`))
        page.on('console', (message) => {
          if (message.type() === 'error') faults.push(`${shot}: ${message.text()}`)
        })
        await scripted(page, state)
        await page.goto(address)
        await page.waitForSelector(`[data-page="${state.page.page}"]`)
        for (const picture of await page.locator('[data-testid^="picture-"]').all()) {
          const who = (await picture.getAttribute('data-testid')).slice('picture-'.length)
          if (!state.silent?.includes(who)) await picture.and(page.locator('[data-sequence]')).waitFor()
        }
        if (state.press) await page.keyboard.press(state.press)
        await page.waitForTimeout(80)
        for (const fault of await page.evaluate(cutOff)) faults.push(`${shot}: ${fault}`)
        await page.screenshot({ path: `${folder}/${shot}.png` })
        count += 1
        await context.close()
      }
    }
  }
}
await browser.close()
server.close()
console.log(`${count} pictures in ${folder}`)
for (const fault of faults) console.error(fault)
process.exit(faults.length > 0 || count === 0 ? 1 : 0)
