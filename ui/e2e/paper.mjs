// The page's picture of a drawing against the one that crates/canvas makes of it: node e2e/paper.mjs [FOLDER]
//
// Both cover the same areas; only the rims may be blended differently, by what the two renderers think a partly covered pixel
// is worth. So nearly every pixel is equal, none is far off unless it lies on a rim, and the mean difference is tiny. With a
// FOLDER the page's picture and the difference are kept there.
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
const paper = page.getByTestId('paper')
await paper.waitFor()
await page.addStyleTag({ content: '.sheet-place, .sheet { width: 1600px !important; height: 1000px !important; background: #fefcf7 !important }' })
await page.evaluate((items) => window.scripted.say({ event: 'paper', own: 0, ground: null, items }), ops.map((op) => ({ op, shown: true })))
await page.waitForFunction(() => document.querySelector('[data-testid=paper]').width === 1600)
await page.waitForTimeout(300)
const { rims, wrong, mean, pixels, shown } = await paper.evaluate(
  async (canvas, { png, rounding, rim }) => {
    const image = new Image()
    image.src = `data:image/png;base64,${png}`
    await image.decode()
    const [exported, drawn] = [document.createElement('canvas'), document.createElement('canvas')]
    for (const each of [exported, drawn]) Object.assign(each, { width: 1600, height: 1000 })
    exported.getContext('2d').drawImage(image, 0, 0)
    const context = drawn.getContext('2d')
    context.fillStyle = '#fefcf7'
    context.fillRect(0, 0, 1600, 1000)
    context.drawImage(canvas, 0, 0)
    const a = exported.getContext('2d').getImageData(0, 0, 1600, 1000).data
    const b = context.getImageData(0, 0, 1600, 1000).data
    let [rims, wrong, sum] = [0, 0, 0]
    for (let at = 0; at < a.length; at += 4) {
      const off = [0, 1, 2].map((channel) => Math.abs(a[at + channel] - b[at + channel]))
      const most = Math.max(...off)
      if (most > rounding) rims += 1
      if (most > rim) wrong += 1
      sum += off[0] + off[1] + off[2]
    }
    return { rims, wrong, mean: sum / ((a.length / 4) * 3), pixels: a.length / 4, shown: drawn.toDataURL() }
  },
  { png, rounding: ROUNDING, rim: RIM },
)
await browser.close()
server.close()
const [folder] = process.argv.slice(2)
if (folder) {
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/paper-page.png`, Buffer.from(shown.split(',')[1], 'base64'))
}
console.log(
  `of ${pixels} pixels ${rims} differ by more than ${ROUNDING} (${((100 * rims) / pixels).toFixed(2)} %), ` +
    `${wrong} by more than ${RIM}; mean difference ${mean.toFixed(3)}`,
)
const agrees = rims <= pixels * RIM_SHARE && wrong <= pixels * WRONG_SHARE && mean <= MEAN
if (!agrees) console.error('the page and the exported picture are two different pictures')
process.exit(agrees ? 0 : 1)
