// What a user does on the built page and what the shell hears of it: node e2e/acts.mjs
import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'
import { serve } from './server.mjs'
import { flags, scripted } from './shell.mjs'
import { viewOf, views } from './views.mjs'

const { server, address } = await serve()
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })

async function meet(name) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  page.on('pageerror', (error) => assert.fail(error))
  const sockets = await scripted(page, views[name])
  await page.goto(address)
  await page.waitForSelector(`[data-page="${views[name].page.page}"]`)
  const commands = () => page.evaluate(() => window.scripted.commands.splice(0))
  const say = (event) => page.evaluate((said) => window.scripted.say(said), event)
  return { page, commands, say, sockets, close: () => context.close() }
}

const inked = (page, id) =>
  page.getByTestId(id).evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let count = 0
    for (let at = 3; at < data.length; at += 4) if (data[at] > 128) count += 1
    return count
  })
const repaint = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))

const stories = {
  async 'a stroke is seen at once, told in batches, and dries when it is committed'() {
    const { page, commands, say, close } = await meet('call-veiled')
    const box = await page.getByTestId('paper').boundingBox()
    const before = await inked(page, 'paper')
    await page.mouse.move(box.x + 100, box.y + 50)
    await page.mouse.down()
    for (let step = 1; step <= 20; step += 1) {
      await page.mouse.move(box.x + 100 + step * 20, box.y + 50 + step * 3)
      if (step % 5 === 0) await repaint(page)
    }
    assert.ok((await inked(page, 'paper-wet')) > 500, 'wet ink before the shell has answered')
    await page.mouse.up()
    await repaint(page)
    const heard = await commands()
    const points = heard.filter((command) => command.do === 'draw_points')
    assert.ok(points.length >= 3, 'more than one batch')
    assert.equal(heard.at(-1).do, 'draw_end')
    assert.deepEqual(new Set(heard.map(({ id }) => id)).size, 1)
    const all = points.flatMap((command) => command.points)
    assert.equal(all.length, 21, 'no point twice')
    const { colour, size } = points[0]
    await say({ event: 'paper_append', stroke: { id: { author: 0, seq: 99 }, time: 99, kind: { stroke: { colour, size, points: all } } } })
    await repaint(page)
    assert.equal(await inked(page, 'paper-wet'), 0, 'nothing wet is left')
    assert.ok((await inked(page, 'paper')) > before + 500, 'and it lies on the sheet')
    await say({ event: 'paper', strokes: [] })
    await repaint(page)
    assert.equal(await inked(page, 'paper'), 0)
    await close()
  },

  async 'a stroke ends when the pointer leaves the sheet or is taken away'() {
    const { page, commands, close } = await meet('call-veiled')
    const box = await page.getByTestId('paper').boundingBox()
    await page.mouse.move(box.x + 30, box.y + 30)
    await page.mouse.down()
    await page.mouse.move(2, 2, { steps: 5 })
    await page.mouse.up()
    const heard = await commands()
    assert.equal(heard.at(-1).do, 'draw_end')
    assert.deepEqual(heard.flatMap((command) => command.points ?? []).at(-1), { x: 0, y: 0, pressure: 128 })
    await page.mouse.move(box.x + 30, box.y + 30)
    await page.mouse.down()
    await page.getByTestId('paper-wet').evaluate((canvas) => canvas.dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1 })))
    assert.equal((await commands()).at(-1).do, 'draw_end')
    await page.mouse.up()
    await close()
  },

  async 'keys do what the buttons do, and Esc leaves only when pressed twice'() {
    const { page, commands, close } = await meet('call-veiled')
    for (const key of ['m', 'v', 'r', 'Control+z', 'Control+Shift+z']) await page.keyboard.press(key)
    assert.deepEqual(await commands(), [
      { do: 'mute', on: true },
      { do: 'camera', on: false },
      { do: 'reveal', yes: true },
      { do: 'undo' },
      { do: 'redo' },
    ])
    await page.keyboard.press('Escape')
    assert.deepEqual(await commands(), [])
    await page.keyboard.press('Escape')
    assert.deepEqual(await commands(), [{ do: 'leave' }])
    for (const id of ['mute', 'camera', 'reveal', 'undo', 'clear', 'leave']) await page.getByTestId(id).click()
    assert.deepEqual(
      (await commands()).map((command) => command.do),
      ['mute', 'camera', 'reveal', 'undo', 'clear_paper', 'leave'],
    )
    await close()
  },

  async 'the solo paper tells the shell nothing'() {
    const { page, commands, close } = await meet('waiting')
    const box = await page.getByTestId('paper').boundingBox()
    await page.mouse.move(box.x + 100, box.y + 50)
    await page.mouse.down()
    await page.mouse.move(box.x + 300, box.y + 150, { steps: 8 })
    await page.mouse.up()
    await repaint(page)
    assert.ok((await inked(page, 'paper')) > 300)
    await page.getByTestId('undo').click()
    await repaint(page)
    assert.equal(await inked(page, 'paper'), 0)
    assert.deepEqual(await commands(), [])
    await close()
  },

  async 'pictures carry their number, and go on after the socket was lost'() {
    const { page, sockets, close } = await meet('call-open')
    const canvas = page.getByTestId('picture-peer')
    const reached = (from, to) =>
      page.waitForFunction(
        ([least, most]) => {
          const sequence = Number(document.querySelector('[data-testid=picture-peer]').dataset.sequence)
          return sequence >= least && sequence <= most
        },
        [from, to],
      )
    await reached(20, Infinity)
    sockets.filter(({ who }) => who === 'peer').forEach((socket) => socket.close())
    // Another socket counts from one again.
    await reached(1, 10)
    await reached(20, Infinity)
    assert.equal(sockets.filter(({ who }) => who === 'peer').length, 2)
    assert.deepEqual(await canvas.evaluate(({ width, height }) => [width, height]), [640, 360])
    const [r, g, b] = await canvas.evaluate((element) => [...element.getContext('2d').getImageData(320, 172, 1, 1).data])
    assert.ok(r > g && g > b && r > 120, `skin in the middle of the picture, not ${r} ${g} ${b}`)
    await close()
  },

  async 'the profile is saved as it was changed'() {
    const { page, commands, close } = await meet('profile')
    await page.getByLabel('City', { exact: true }).fill('  Porto ')
    await page.getByRole('button', { name: 'music' }).click()
    await page.getByRole('switch', { name: 'Matches may see: Age' }).click()
    await page.getByTestId('profile-save').click()
    const [{ do: name, profile }] = await commands()
    assert.equal(name, 'save_profile')
    assert.deepEqual(profile.city, { value: 'Porto', shared: true })
    assert.deepEqual(profile.interests.value, ['drawing', 'cooking', 'old maps'])
    assert.deepEqual(profile.age, { value: 31, shared: false })
    await close()
  },

  async 'the language and a new page follow at once'() {
    const { page, commands, say, close } = await meet('welcome-refused')
    await page.getByTestId('notice-retry').click()
    await page.getByTestId('notice-dismiss').click()
    await page.getByTestId('sign-in').click()
    assert.deepEqual((await commands()).map((command) => command.do), ['retry', 'dismiss_notice', 'sign_in'])
    await page.getByRole('button', { name: '中文' }).click()
    assert.equal(await page.getAttribute('html', 'lang'), 'zh')
    await say({ event: 'view', view: viewOf(views.mirror) })
    await page.getByText('先照照镜子').waitFor()
    assert.equal(await page.getByTestId('notice').count(), 0)
    await page.getByTestId('camera-select').selectOption('face')
    await page.getByTestId('meet').click()
    assert.deepEqual(await commands(), [{ do: 'choose_camera', id: 'face' }, { do: 'meet' }])
    await close()
  },
}

let failed = 0
for (const [name, story] of Object.entries(stories)) {
  try {
    await story()
    console.log(`ok      ${name}`)
  } catch (error) {
    failed += 1
    console.log(`FAILED  ${name}\n${error.stack}`)
  }
}
await browser.close()
server.close()
process.exit(failed > 0 ? 1 : 0)
