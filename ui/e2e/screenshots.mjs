// The pictures of docs/screenshots: every page in both themes and two sizes. node e2e/screenshots.mjs [--compare] [PART OF A NAME]
// With --compare nothing is written: what the built page shows now is held against the pictures that are there. Letters look different
// with other fonts, so the fonts that the pictures were made with are written down, and with others the comparison is left out.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { serve } from './server.mjs'
import { flags, scripted } from './shell.mjs'
import { views } from './views.mjs'

const folder = fileURLToPath(new URL('../../docs/screenshots/pages/', import.meta.url))
const compares = process.argv.includes('--compare')
const only = process.argv.slice(2).find((argument) => !argument.startsWith('--'))
const QUALITY = 74
/** A picture differs when more than this share of its pixels is off by more than so much in a channel. */
const SHARE = 0.005
const CHANNEL = 40

/** Name of the picture, view, language, and the key that opens what is shown. */
const pages = [
  ['welcome', 'welcome'],
  ['server', 'server-problem'],
  ['refused', 'welcome-refused'],
  ['mirror', 'mirror'],
  ['profile', 'profile'],
  ['waiting', 'waiting'],
  ['match', 'match'],
  ['call-veiled', 'call-veiled'],
  ['call', 'call-open'],
  ['call-covered', 'call-covered'],
  ['call-arabic', 'call-covered', 'ar'],
  ['figures', 'call-figures'],
  ['games', 'game-choose'],
  ['game-gomoku', 'game-gomoku'],
  ['parting', 'parting'],
  ['friends', 'friends'],
  ['conversation', 'friends-conversation'],
  ['history', 'history'],
  ['settings', 'mirror', 'en', 'Control+,'],
  ['keys', 'mirror', 'en', '?'],
]
const sizes = [
  { width: 1280, height: 800 },
  { width: 900, height: 600 },
]
const SCHEMES = { light: 'day', dark: 'night' }

/** Widths of a line of each script: another font, another number. */
const fonts = () => {
  const context = document.createElement('canvas').getContext('2d')
  context.font = getComputedStyle(document.body).font
  return ['Visavis quiet 0123', '对面 你好', 'こんにちは', 'مرحبا'].map((line) => Math.round(context.measureText(line).width * 100))
}

/** Share of the pixels that differ, worked out in the page, which has the decoders. */
const difference = async ([was, is, channel]) => {
  const pixels = async (url) => {
    const image = new Image()
    image.src = url
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0)
    return context.getImageData(0, 0, image.width, image.height)
  }
  const [before, now] = [await pixels(was), await pixels(is)]
  if (before.width !== now.width || before.height !== now.height) return 1
  let off = 0
  for (let at = 0; at < now.data.length; at += 4)
    if ([0, 1, 2].some((part) => Math.abs(now.data[at + part] - before.data[at + part]) > channel)) off += 1
  return off / (now.data.length / 4)
}

async function shot(browser, address, [, view, locale = 'en', press = views[view].press], viewport, colorScheme) {
  const context = await browser.newContext({ viewport, locale, colorScheme, reducedMotion: 'reduce', timezoneId: 'Europe/Lisbon' })
  const page = await context.newPage()
  // What the waiting page offers to draw is chance.
  await page.addInitScript(() => (Math.random = () => 0.4))
  await scripted(page, views[view])
  await page.goto(address)
  await page.waitForSelector(`[data-page="${views[view].page.page}"]`)
  for (const picture of await page.locator(':is([data-testid=picture-own], [data-testid=picture-peer])').all()) {
    const who = (await picture.getAttribute('data-testid')).slice('picture-'.length)
    if (!views[view].silent?.includes(who)) await picture.and(page.locator('[data-sequence]')).waitFor()
  }
  for (const paper of await page.locator('[data-testid=paper]').all()) await paper.and(page.locator('[data-complete=true]')).waitFor()
  if (press) await page.keyboard.press(press)
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
  const image = await page.screenshot({ type: 'jpeg', quality: QUALITY, caret: 'hide' })
  return { image, page, close: () => context.close() }
}

const { server, address } = await serve()
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })
const given = async (name) => readFile(`${folder}${name}`).catch(() => null)
const url = (bytes) => `data:image/jpeg;base64,${bytes.toString('base64')}`
let count = 0
let failed = 0
let left = null

if (!compares) await mkdir(folder, { recursive: true })
const kept = new Set(['fonts.json'])
for (const entry of pages) {
  for (const viewport of sizes) {
    for (const colorScheme of Object.keys(SCHEMES)) {
      const name = `${entry[0]}-${viewport.width}-${SCHEMES[colorScheme]}.jpg`
      kept.add(name)
      if (left || (only && !name.includes(only))) continue
      const { image, page, close } = await shot(browser, address, entry, viewport, colorScheme)
      if (count === 0) {
        const now = JSON.stringify(await page.evaluate(fonts))
        const then = (await given('fonts.json'))?.toString().trim()
        if (!compares) await writeFile(`${folder}fonts.json`, `${now}\n`)
        else if (now !== then) left = `other fonts than those of the pictures (${now} instead of ${then})`
      }
      if (!compares) await writeFile(`${folder}${name}`, image)
      else if (!left) {
        const before = await given(name)
        const share = before ? await page.evaluate(difference, [url(before), url(image), CHANNEL]) : 1
        if (share > SHARE) {
          failed += 1
          console.log(`FAILED  ${name}: ${before ? `${(share * 100).toFixed(2)} % of the pixels differ` : 'there is no such picture'}`)
        }
      }
      count += 1
      await close()
    }
  }
}
if (!compares && !only) for (const name of await readdir(folder)) if (!kept.has(name)) await rm(`${folder}${name}`)
await browser.close()
server.close()
if (left) console.log(`LEFT OUT: the pictures of docs/screenshots are not compared: ${left}`)
else console.log(`${failed > 0 ? 'FAILED' : 'ok    '}  ${count} pictures ${compares ? 'compared' : 'written'}; cargo xtask screenshots makes them anew`)
process.exit(failed > 0 || count === 0 ? 1 : 0)
