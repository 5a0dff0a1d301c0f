// What a frame of the paper costs while both draw: node e2e/paper-bench.mjs [--marks N] [--seconds N]
//
// The built page in a headless Chromium without a graphics card. It draws with the mouse while the peer's ink and marks come in,
// first on an empty sheet, then with so many marks on it, and prints the page's main thread in processor time a frame, which
// hardly depends on what else the machine does, and in time as it passes, which does.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { serve } from './server.mjs'
import { flags, scripted } from './shell.mjs'
import { views } from './views.mjs'

const { values } = parseArgs({ options: { marks: { type: 'string', default: '2000' }, seconds: { type: 'string', default: '6' } } })
const [marks, seconds] = [Number(values.marks), Number(values.seconds)]
if (!(marks > 0 && seconds > 0)) throw new Error('--marks and --seconds are numbers above zero')
/** Marks from the top that an undo reaches at most: crates/canvas/src/rules.rs. */
const UNDO_REACH = 400
/** What a frame has at 60 a second. */
const FRAME_MS = 1000 / 60

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
if (!existsSync(executablePath)) {
  console.log(`SKIPPED: there is no ${executablePath}; nothing was measured`)
  process.exit(0)
}

/** A drawing as dense as an evening's: strokes of thirty points all over the sheet, shapes, fills and rubbed-out lines between. */
function drawing(count) {
  const kind = (index) => {
    const points = Array.from({ length: 30 }, (_, at) => ({
      x: (index * 83 + at * 60) % 16000,
      y: Math.round(5000 + 4200 * Math.sin(index / 9 + at / 12)),
      pressure: 60 + ((index + at * 5) % 120),
    }))
    const colour = (index * 7919) % 0xffffff
    if (index % 50 === 7) return { shape: { form: 'ellipse', colour, size: 60, from: points[0], to: { x: 8000, y: 5000 } } }
    if (index % 200 === 11) return { fill: { colour, runs: Array.from({ length: 60 }, (_, row) => [row ? 1500 : index * 300, 100]) } }
    return { stroke: { colour: index % 40 === 3 ? null : colour, size: 60, points } }
  }
  return Array.from({ length: count }, (_, index) => ({
    op: { id: { author: index % 2, seq: Math.floor(index / 2) + 1 }, time: index + 1, live: 0, kind: kind(index) },
    shown: true,
  }))
}

/** Runs in the page: both draw for a while; own marks are answered as the session answers them. Returns how many frames there were. */
async function bothDraw({ seconds, seq }) {
  const top = document.querySelector('[data-testid=paper-top]')
  const box = top.getBoundingClientRect()
  top.setPointerCapture = () => undefined
  const { say, commands } = window.scripted
  const pointer = (type, x, y) =>
    top.dispatchEvent(
      new PointerEvent(type, { pointerId: 1, pointerType: 'mouse', bubbles: true, button: 0, buttons: 1, clientX: box.left + x * box.width, clientY: box.top + y * box.height }),
    )
  const commit = (author, live, kind) => {
    seq += 1
    say({ event: 'paper_change', changes: [{ change: 'insert', op: { id: { author, seq }, time: seq, live, kind }, above: 0 }] })
  }
  const place = (at, phase) => [0.5 + 0.45 * Math.sin(at / 23 + phase), 0.5 + 0.45 * Math.cos(at / 17 + phase)]
  let peer = []
  let frames = 0
  const waits = []
  const ends = performance.now() + seconds * 1000
  pointer('pointerdown', ...place(0, 0))
  await new Promise((done) => {
    let last = performance.now()
    const frame = (now) => {
      waits.push(now - last)
      last = now
      frames += 1
      // Two pointer events and two of the peer's points a frame; a mark is over after a second.
      for (const half of [0, 0.5]) pointer('pointermove', ...place(frames + half, 0))
      const [x, y] = place(frames, 2)
      peer.push({ x: Math.round(x * 16000), y: Math.round(y * 10000), pressure: 128 }, { x: Math.round(x * 16000) + 9, y: Math.round(y * 10000), pressure: 128 })
      const from = Math.max(0, peer.length - 10)
      const live = 900_000 + Math.floor(frames / 60)
      say({ event: 'peer_ink', stroke: live, ink: { colour: 0x2d4b8c, size: 80, fades: false }, from, points: peer.slice(from) })
      if (frames % 60 === 59) {
        commit(1, live, { stroke: { colour: 0x2d4b8c, size: 80, points: peer } })
        peer = []
        pointer('pointerup', ...place(frames, 0))
        const heard = commands.splice(0).filter((command) => command.do === 'draw_points')
        const { id, colour, size } = heard[0]
        commit(0, id, { stroke: { colour, size, points: heard.flatMap(({ points }) => points) } })
        // Every other own mark is taken back, and one of the peer's from far below with it.
        if (frames % 120 === 119) say({ event: 'paper_change', changes: [{ change: 'show', id: { author: 0, seq }, shown: false }] })
        pointer('pointerdown', ...place(frames, 0))
      }
      if (now < ends) requestAnimationFrame(frame)
      else done()
    }
    requestAnimationFrame(frame)
  })
  pointer('pointerup', 0.5, 0.5)
  return { frames, waits: waits.slice(1) }
}

/** Tasks of the page's main thread: those that drew a frame, and the sum of all, in microseconds. */
function tasksOf(trace) {
  const events = JSON.parse(trace).traceEvents
  const fired = events.filter(({ name }) => name === 'FireAnimationFrame')
  const on = ({ pid, tid }) => pid === fired[0].pid && tid === fired[0].tid
  const tasks = []
  // One that another one waits for is part of it.
  for (const task of events.filter((event) => event.name === 'RunTask' && event.ph === 'X' && on(event)).toSorted((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    const last = tasks.at(-1)
    if (!last || task.ts >= last.ts + last.dur) tasks.push(task)
  }
  const times = fired.filter(on).map(({ ts }) => ts)
  const drew = tasks.filter(({ ts, dur }) => times.some((at) => at >= ts && at <= ts + dur))
  return { drew, processor: tasks.reduce((all, { tdur = 0 }) => all + tdur, 0) }
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  return { p50: at(sorted, 0.5), p95: at(sorted, 0.95), most: sorted.at(-1) }
}
const shown = ({ p50, p95, most }) => `p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, most ${most.toFixed(1)} ms`

const { server, address } = await serve()
const browser = await chromium.launch({ executablePath, args: flags })
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en' })
const page = await context.newPage()
await scripted(page, views['call-veiled'])
await page.goto(address)
await page.getByTestId('paper').waitFor()

const control = await browser.newBrowserCDPSession()
/** Processor time of all processes of the browser but the one that is in charge of them, seconds by kind. */
async function processors() {
  const { processInfo } = await control.send('SystemInfo.getProcessInfo')
  const sum = (kind) => processInfo.filter(({ type }) => type.toLowerCase() === kind).reduce((all, { cpuTime }) => all + cpuTime, 0)
  return { page: sum('renderer'), screen: sum('gpu') }
}

/** Says something to the page; resolves to the milliseconds until the sheet shows it. */
async function takes(said) {
  return page.evaluate(async (said) => {
    const began = performance.now()
    window.scripted.say(said)
    const frame = () => new Promise((done) => requestAnimationFrame(done))
    await frame()
    do await frame()
    while (document.querySelector('[data-testid=paper]').dataset.complete !== 'true')
    return performance.now() - began
  }, said)
}

async function measure(count) {
  const items = drawing(count)
  const begun = await takes({ event: 'paper', own: 0, ground: null, items })
  await page.waitForTimeout(500)
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] })
  const before = await processors()
  const { frames, waits } = await page.evaluate(bothDraw, { seconds, seq: count + 10 })
  const after = await processors()
  const { drew, processor } = tasksOf((await browser.stopTracing()).toString())
  const each = (kind) => (((after[kind] - before[kind]) * 1000) / frames).toFixed(1)
  console.log(`${count} marks on the sheet, ${frames} frames, ${(frames / seconds).toFixed(1)} a second:`)
  console.log(`  a frame's task, processor time  ${shown(spread(drew.map(({ tdur = 0 }) => tdur / 1000)))}`)
  console.log(`  a frame's task, time passed     ${shown(spread(drew.map(({ dur }) => dur / 1000)))}`)
  console.log(`  between two frames              ${shown(spread(waits))}`)
  console.log(`  processor time a frame: ${(processor / 1000 / frames).toFixed(1)} ms main thread, ${each('page')} ms the page's process, ${each('screen')} ms the screen's`)
  if (count > 0) {
    const furthest = items[Math.max(0, items.length - UNDO_REACH)].op.id
    const undone = await takes({ event: 'paper_change', changes: [{ change: 'show', id: furthest, shown: false }] })
    console.log(`  the whole paper anew: ${begun.toFixed(0)} ms until it is shown; the furthest undo there is: ${undone.toFixed(0)} ms`)
  }
  return processor / 1000 / frames
}

const empty = await measure(0)
const full = await measure(marks)
console.log(`a frame with ${marks} marks costs the main thread ${(full / empty).toFixed(2)} times one on an empty sheet; at 60 a second there are ${FRAME_MS.toFixed(1)} ms`)
await browser.close()
server.close()
