// The page's picture of a drawing against the one that crates/canvas makes of it: node e2e/paper.mjs [FOLDER]
//
// Both cover the same areas; only the rims may be blended differently, by what the two renderers think a partly covered pixel
// is worth. So nearly every pixel is equal, none is far off unless it lies on a rim, and the mean difference is tiny. That holds
// for the drawing with marks of every kind, and no longer when any one of them is left out. Wet ink of every kind, a piece
// with each frame, lies where its mark comes to lie; fading ink, which is never committed, covers what a pen would have.
// With a FOLDER the page's picture is kept there.
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import { serve } from './server.mjs'
import { flags, scripted } from './shell.mjs'
import { views } from './views.mjs'

/** Of all pixels: how many may differ by more than rounding, and by more than a rim can. */
const RIM_SHARE = 0.01
const WRONG_SHARE = 0.00002
const ROUNDING = 4
const RIM = 96
/** Mean difference of all channels, of 255. */
const MEAN = 0.12

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
if (!existsSync(executablePath)) {
  console.log(`SKIPPED: there is no ${executablePath}; the page's picture was not compared with the exported one`)
  process.exit(0)
}
const file = (name) => new URL(`../../crates/canvas/tests/${name}`, import.meta.url)
const ops = JSON.parse(await readFile(file('drawing.json'), 'utf8'))
const png = (await readFile(file('drawing.png'))).toString('base64')

const { server, address } = await serve()
const browser = await chromium.launch({ executablePath, args: flags })
// So large that the sheet is as wide as the paper has units.
const context = await browser.newContext({ viewport: { width: 2400, height: 1800 }, locale: 'en', reducedMotion: 'reduce' })
const page = await context.newPage()
await scripted(page, views['call-veiled'])
await page.goto(address)
await page.getByTestId('paper').waitFor()
await page.addStyleTag({ content: '.sheet-place, .sheet { width: 1600px !important; height: 1000px !important; background: #fefcf7 !important }' })
await page.waitForFunction(() => document.querySelector('[data-testid=paper]').width === 1600)

/** Runs in the page, before anything else of this file: pictures of the sheet, kept by name. */
await page.evaluate(() => {
  const blank = () => Object.assign(document.createElement('canvas'), { width: 1600, height: 1000 })
  const kept = new Map()
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  window.look = {
    frame,
    /** What a user sees of the sheet: all of its layers. */
    async keep(name) {
      do await frame()
      while (document.querySelector('[data-testid=paper]').dataset.complete !== 'true')
      await frame()
      const context = blank().getContext('2d', { willReadFrequently: true })
      context.fillStyle = '#fefcf7'
      context.fillRect(0, 0, 1600, 1000)
      for (const id of ['paper', 'paper-wet', 'paper-top']) context.drawImage(document.querySelector(`[data-testid=${id}]`), 0, 0)
      kept.set(name, context.getImageData(0, 0, 1600, 1000).data)
      return context.canvas.toDataURL()
    },
    async load(name, png) {
      const image = new Image()
      image.src = `data:image/png;base64,${png}`
      await image.decode()
      const context = blank().getContext('2d', { willReadFrequently: true })
      context.drawImage(image, 0, 0)
      kept.set(name, context.getImageData(0, 0, 1600, 1000).data)
    },
    compare(first, second, rounding, rim) {
      const [a, b] = [kept.get(first), kept.get(second)]
      let [rims, wrong, sum] = [0, 0, 0]
      for (let at = 0; at < a.length; at += 4) {
        let most = 0
        for (let channel = 0; channel < 3; channel += 1) {
          const off = Math.abs(a[at + channel] - b[at + channel])
          sum += off
          if (off > most) most = off
        }
        if (most > rounding) rims += 1
        if (most > rim) wrong += 1
      }
      return { rims, wrong, mean: sum / ((a.length / 4) * 3), pixels: a.length / 4 }
    },
  }
})

const say = (...events) => page.evaluate((events) => events.forEach((event) => window.scripted.say(event)), events)
const keep = (name) => page.evaluate((name) => window.look.keep(name), name)
async function compare(first, second) {
  const found = await page.evaluate(([first, second, rounding, rim]) => window.look.compare(first, second, rounding, rim), [first, second, ROUNDING, RIM])
  return { ...found, agrees: found.rims <= found.pixels * RIM_SHARE && found.wrong <= found.pixels * WRONG_SHARE && found.mean <= MEAN }
}
const whole = (given) => ({ event: 'paper', own: 0, ground: null, items: given.map((op) => ({ op, shown: true })) })
const words = ({ rims, wrong, mean, pixels }) =>
  `of ${pixels} pixels ${rims} differ by more than ${ROUNDING} (${((100 * rims) / pixels).toFixed(2)} %), ${wrong} by more than ${RIM}; mean difference ${mean.toFixed(3)}`
const nameOf = ({ kind }) => (kind.stroke ? (kind.stroke.colour === null ? 'eraser' : 'pen') : (kind.shape?.form ?? Object.keys(kind)[0]))

const faults = []
const must = (holds, what) => {
  if (!holds) faults.push(what)
}

await page.evaluate((png) => window.look.load('exported', png), png)
await say(whole(ops))
const shown = await keep('drawn')
const drawn = await compare('exported', 'drawn')
console.log(words(drawn))
must(drawn.agrees, 'the page and the exported picture are two different pictures')

// A comparison that does not miss a mark when it is not there compares nothing.
const marks = ops.filter(({ kind }) => kind !== 'clear')
for (const left of marks) {
  await say(whole(ops.filter((op) => op !== left)))
  await keep('less')
  must(!(await compare('exported', 'less')).agrees, `the ${nameOf(left)} numbered ${left.id.seq} can be left out without being noticed`)
}

/** The peer's ink of a mark, bit by bit. */
function* pieces({ kind }, fades = false) {
  if (kind.shape) {
    yield { event: 'peer_shape', stroke: 7, shape: { ...kind.shape, to: kind.shape.from } }
    yield { event: 'peer_shape', stroke: 7, shape: kind.shape }
    return
  }
  const { colour, size, points } = kind.stroke
  const step = Math.max(1, Math.ceil(points.length / 8))
  for (let from = 0; from < points.length; from += step) {
    const start = Math.max(0, from - 8)
    yield { event: 'peer_ink', stroke: 7, ink: { colour, size, fades }, from: start, points: points.slice(start, from + step) }
  }
}
const below = (mark) => ops.slice(0, ops.indexOf(mark))
let worst = { rims: 0, wrong: 0, mean: 0, pixels: 1 }
for (const mark of marks.filter(({ kind }) => kind.stroke || kind.shape)) {
  await say(whole(below(mark)))
  await page.evaluate(async (pieces) => {
    for (const piece of pieces) {
      window.scripted.say(piece)
      await window.look.frame()
    }
  }, [...pieces(mark)])
  await keep('wet')
  await say({ event: 'paper_change', changes: [{ change: 'insert', op: { ...mark, id: { author: 1, seq: mark.id.seq }, live: 7 }, above: 0 }] })
  await keep('dry')
  const moved = await compare('wet', 'dry')
  if (moved.rims > worst.rims) worst = moved
  must(moved.agrees, `wet ink of the ${nameOf(mark)} numbered ${mark.id.seq} lies elsewhere than the mark: ${words(moved)}`)
  await say(whole(below(mark)))
  await keep('before')
  must(!(await compare('wet', 'before')).agrees, `wet ink of the ${nameOf(mark)} numbered ${mark.id.seq} is not seen`)
}
console.log(`wet ink against its mark, at worst: ${words(worst)}`)

// Fading ink lets three quarters of its colour through while it is fresh, and covers the same pixels.
const pen = marks.find((mark) => nameOf(mark) === 'pen')
await say(whole([]), ...pieces(pen, true))
const fading = await page.evaluate(async () => {
  await window.look.frame()
  await window.look.frame()
  return [...document.querySelector('[data-testid=paper-top]').getContext('2d').getImageData(0, 0, 1600, 1000).data].filter((_, at) => at % 4 === 3)
})
await say(whole([pen]))
await keep('solid')
const solid = await page.evaluate(
  () => [...document.querySelector('[data-testid=paper]').getContext('2d').getImageData(0, 0, 1600, 1000).data].filter((_, at) => at % 4 === 3),
)
const apart = solid.filter((alpha, at) => Math.abs(alpha * 0.75 - fading[at]) > RIM / 4).length
const covered = solid.filter((alpha) => alpha > 0).length
console.log(`fading ink: ${apart} of ${covered} covered pixels are not three quarters of the pen's`)
// A mark is drawn in parts, whose rims overlap where they meet.
must(covered > 10_000 && apart <= covered / 1000, 'fading ink covers something else than a pen does')

await browser.close()
server.close()
const [folder] = process.argv.slice(2)
if (folder) {
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/paper-page.png`, Buffer.from(shown.split(',')[1], 'base64'))
}
for (const fault of faults) console.error(fault)
process.exit(faults.length === 0 ? 0 : 1)
