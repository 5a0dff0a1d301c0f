// What calls leave behind on the built page: node e2e/flat.mjs [PART OF A NAME]
//
// Elements, listeners and the heap after everything that can be collected was, by the browser's own count. Elements are looked for
// without handles: one that the browser's remote control holds would keep the whole page that it was of.
import assert from 'node:assert/strict'
import { servePictures } from './sockets.mjs'
import { meet, tell } from './stories.mjs'
import { viewOf, views } from './views.mjs'

const WARM = 3
const CALLS = 12
/** A page that just went may still be held by what fades out. */
const NODES = 1000
const KIB_A_CALL = 150

const ink = { colour: 0x2d4b8c, size: 60, fades: false }
const line = (stroke) => Array.from({ length: 60 }, (_, at) => ({ x: 200 * stroke + at * 20, y: 300 * stroke + at * 7, pressure: 128 }))

async function evening(page, say) {
  for (const name of ['waiting', 'match', 'call-open', 'parting', 'mirror']) {
    await say({ event: 'view', view: viewOf(views[name]) })
    await page.locator(`[data-page="${views[name].page.page}"]`).waitFor()
    if (name !== 'call-open') continue
    await page.locator('[data-testid=picture-peer][data-sequence]').waitFor()
    for (let stroke = 1; stroke <= 20; stroke += 1) await say({ event: 'peer_ink', stroke, ink, from: 0, points: line(stroke) })
    for (const key of ['?', 'Escape', 'n', 'n']) await page.keyboard.press(key)
    await page.waitForTimeout(300)
  }
}

await tell({
  async 'a call leaves no element, no listener and no picture behind'() {
    const sockets = await servePictures({})
    const { page, say, close } = await meet('mirror', 'en', sockets.address)
    const browser = await page.context().newCDPSession(page)
    const held = async () => {
      // What the first round lets go of may hold more.
      for (let round = 0; round < 3; round += 1) await browser.send('HeapProfiler.collectGarbage')
      const { usedSize } = await browser.send('Runtime.getHeapUsage')
      const { nodes, jsEventListeners: listeners } = await browser.send('Memory.getDOMCounters')
      return { kib: Math.round(usedSize / 1024), nodes, listeners }
    }
    for (let call = 0; call < WARM; call += 1) await evening(page, say)
    const before = await held()
    for (let call = 0; call < CALLS; call += 1) await evening(page, say)
    const after = await held()
    const words = `${CALLS} calls: ${JSON.stringify(before)}, then ${JSON.stringify(after)}`
    console.log(words)
    assert.ok(after.nodes - before.nodes < NODES, words)
    assert.ok(after.listeners - before.listeners < CALLS, words)
    assert.ok(after.kib - before.kib < KIB_A_CALL * CALLS, words)
    sockets.close()
    await close()
  },
})
