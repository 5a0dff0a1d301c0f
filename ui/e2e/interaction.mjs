// How long a press in a call waits for what it paints: node e2e/interaction.mjs [--rounds N] [--most MS] [--remote]
//
// The built page in a headless Chromium without a graphics card, with both pictures coming at 30 a second, a full sheet, and the
// peer's ink arriving. Each press goes through the browser's own input; its Event Timing says when the next frame was painted. Prints
// the slowest, the one at 98 %, and the middle, and how many of the peer's pictures were drawn a second meanwhile. With --most it
// fails above so many milliseconds at 98 %.
//
// The pictures come through real sockets, as in the app. With --remote the browser's remote control carries them, as it did in
// earlier figures: each then costs the page some 8 ms of its main thread, four times what it takes to draw it.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { servePictures } from './sockets.mjs'
import { meet, finish } from './stories.mjs'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '6' }, most: { type: 'string' }, remote: { type: 'boolean', default: false } } })
const rounds = Number(values.rounds)
if (!(rounds > 0)) throw new Error('--rounds is a number above zero')
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
if (!existsSync(executablePath)) {
  console.log(`SKIPPED: there is no ${executablePath}; nothing was measured`)
  process.exit(0)
}

/** What people press in a call: buttons by their id, keys by their name. Those that open something are pressed again to close it. */
const presses = ['mute', 'camera', '#f', '#f', 'figures-toggle', 'figures-toggle', '#e', '#p', '#3', '#[', 'undo', 'clear', '#?', '#?', '#Control+,', '#Escape', 'games', '#Escape']

function watch() {
  window.took = new Map()
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries()) {
      if (interactionId > 0) window.took.set(interactionId, Math.max(duration, window.took.get(interactionId) ?? 0))
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: true })
  // Ink of the other side, as it comes while they draw.
  let points = 0
  setInterval(() => {
    const at = (index) => ({ x: 8000 + Math.round(5000 * Math.sin(index / 19)), y: 5000 + Math.round(3000 * Math.cos(index / 13)), pressure: 128 })
    const ink = { colour: 0x2d4b8c, size: 60, fades: false }
    window.scripted.say({ event: 'peer_ink', stroke: 1 + Math.floor(points / 400), ink, from: points % 400, points: [at(points), at(points + 1)] })
    points += 2
  }, 33)
}

const sockets = values.remote ? null : await servePictures({})
const { page, close } = await meet('call-open', 'en', sockets?.address)
await page.evaluate(watch)
const picture = page.locator('[data-testid=picture-peer][data-sequence]')
await picture.waitFor()
const drawn = async () => ({ at: performance.now(), pictures: Number(await picture.getAttribute('data-sequence')) })
const before = await drawn()
let pressed = 0
for (let round = 0; round < rounds; round += 1) {
  for (const press of presses) {
    if (press.startsWith('#')) await page.keyboard.press(press.slice(1))
    else await page.getByTestId(press).click()
    pressed += 1
    await page.waitForTimeout(120)
  }
}
const after = await drawn()
const rate = ((after.pictures - before.pictures) * 1000) / (after.at - before.at)
const slow = await page.evaluate(() => [...window.took.values()])
await close()
// What took less than 16 ms is not reported; it counts as that.
const all = [...slow, ...Array.from({ length: Math.max(0, pressed - slow.length) }, () => 16)].sort((a, b) => a - b)
const at = (share) => all[Math.min(all.length - 1, Math.floor(share * all.length))]
console.log(`interaction to next paint in a call, ${pressed} presses: middle ${at(0.5)} ms, 98 % ${at(0.98)} ms, slowest ${all.at(-1)} ms (steps of 8 ms); ${rate.toFixed(1)} of the peer's pictures a second`)
sockets?.close()
const most = values.most === undefined ? Infinity : Number(values.most)
await finish(at(0.98) > most ? 1 : 0)
