// What stories on the built page share: a page with a scripted shell, and how they are told. node STORIES.mjs [PART OF A NAME]
import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'
import { serve } from './server.mjs'
import { flags, scripted } from './shell.mjs'
import { views } from './views.mjs'

const { server, address } = await serve()
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })

export async function meet(name, locale = 'en', pictures = undefined) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  page.on('pageerror', (error) => assert.fail(error))
  const sockets = await scripted(page, views[name], pictures)
  await page.goto(address)
  await page.waitForSelector(`[data-page="${views[name].page.page}"]`)
  const commands = () => page.evaluate(() => window.scripted.commands.splice(0))
  const say = (event) => page.evaluate((said) => window.scripted.say(said), event)
  return { page, commands, say, sockets, close: () => context.close() }
}

/** Pixels of a layer that are covered by more than this. */
export const inked = (page, id, least = 128) =>
  page.getByTestId(id).evaluate((canvas, least) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let count = 0
    for (let at = 3; at < data.length; at += 4) if (data[at] > least) count += 1
    return count
  }, least)
export const repaint = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))

export async function tell(stories) {
  const [only] = process.argv.slice(2)
  let failed = 0
  for (const [name, story] of Object.entries(stories)) {
    if (only && !name.includes(only)) continue
    try {
      await story()
      console.log(`ok      ${name}`)
    } catch (error) {
      failed += 1
      console.log(`FAILED  ${name}\n${error.stack}`)
    }
  }
  await finish(failed > 0 ? 1 : 0)
}

export async function finish(code) {
  await browser.close()
  server.close()
  process.exit(code)
}
