// What a user does on the built page and what the shell hears of it: node e2e/acts.mjs [PART OF A NAME]
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

/** Pixels of a layer that are covered by more than this. */
const inked = (page, id, least = 128) =>
  page.getByTestId(id).evaluate((canvas, least) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let count = 0
    for (let at = 3; at < data.length; at += 4) if (data[at] > least) count += 1
    return count
  }, least)
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
    assert.ok((await inked(page, 'paper-wet')) + (await inked(page, 'paper-top')) > 500, 'wet ink before the shell has answered')
    await page.mouse.up()
    await repaint(page)
    const heard = (await commands()).filter(({ do: name }) => name !== 'move_cursor')
    const points = heard.filter((command) => command.do === 'draw_points')
    assert.ok(points.length >= 3, 'more than one batch')
    assert.equal(heard.at(-1).do, 'draw_end')
    const [{ id, colour, size }] = points
    assert.deepEqual([...new Set(heard.map((command) => command.id))], [id])
    const all = points.flatMap((command) => command.points)
    assert.ok(all.length > 10 && all.length <= 22, `${all.length} points`)
    assert.ok(all.every(({ x }, index) => index === 0 || x > all[index - 1].x), 'no point twice')
    const op = { id: { author: 0, seq: 99 }, time: 99, live: id, kind: { stroke: { colour, size, points: all } } }
    await say({ event: 'paper_change', changes: [{ change: 'insert', op, above: 0 }] })
    await repaint(page)
    assert.equal((await inked(page, 'paper-wet')) + (await inked(page, 'paper-top')), 0, 'nothing wet is left')
    assert.ok((await inked(page, 'paper')) > before + 500, 'and it lies on the sheet')
    await say({ event: 'paper_change', changes: [{ change: 'show', id: op.id, shown: false }] })
    await repaint(page)
    assert.equal(await inked(page, 'paper'), before, 'taken back, and nothing else with it')
    await say({ event: 'paper', own: 0, ground: null, items: [] })
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
    const { x, y } = heard.flatMap((command) => command.points ?? []).at(-1)
    assert.deepEqual([x, y], [0, 0])
    await page.mouse.move(box.x + 30, box.y + 30)
    await page.mouse.down()
    await page.getByTestId('paper-top').evaluate((canvas) => canvas.dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1 })))
    assert.equal((await commands()).at(-1).do, 'draw_end')
    await page.mouse.up()
    await close()
  },

  async 'every tool does what it says, alone as in the call'() {
    for (const where of ['call-veiled', 'waiting']) {
      const { page, commands, say, close } = await meet(where)
      if (where !== 'waiting') await say({ event: 'paper', own: 0, ground: null, items: [] })
      const box = await page.getByTestId('paper').boundingBox()
      const place = (x, y) => [box.x + box.width * x, box.y + box.height * y]
      const drag = async (from, to) => {
        await page.mouse.move(...place(...from))
        await page.mouse.down()
        await page.mouse.move(...place(...to), { steps: 6 })
        await page.mouse.up()
        await repaint(page)
      }
      let seq = 0
      // What the session would answer: the mark comes back committed.
      const answer = async () => {
        const heard = (await commands()).filter(({ do: name }) => name !== 'move_cursor')
        const end = heard.findLast(({ do: name }) => name === 'draw_end')
        const fill = heard.find(({ do: name }) => name === 'draw_fill')
        const shape = heard.findLast(({ do: name }) => name === 'draw_shape')
        const stroke = heard.filter(({ do: name }) => name === 'draw_points')
        seq += 1
        const kind = fill
          ? { fill: fill.fill }
          : shape
            ? { shape: shape.shape }
            : { stroke: { colour: stroke[0].colour, size: stroke[0].size, points: stroke.flatMap(({ points }) => points) } }
        if (!stroke[0]?.fades) {
          const op = { id: { author: 0, seq }, time: seq, live: end?.id ?? 0, kind }
          await say({ event: 'paper_change', changes: [{ change: 'insert', op, above: 0 }] })
        }
        await repaint(page)
        return heard
      }
      const told = async () => (where === 'waiting' ? commands() : answer())
      const steps = []
      const count = async () => steps.push(await inked(page, 'paper'))

      await page.keyboard.press('b')
      await drag([0.2, 0.2], [0.5, 0.6])
      await told()
      await count()
      await page.keyboard.press('g')
      await page.getByRole('radio', { name: 'Yellow' }).check({ force: true })
      await page.mouse.click(...place(0.3, 0.4))
      await told()
      await repaint(page)
      await count()
      assert.ok(steps[1] > steps[0] * 8, `the inside of the rectangle is filled: ${steps}`)
      await page.keyboard.press('e')
      await drag([0.25, 0.4], [0.45, 0.4])
      await told()
      await repaint(page)
      await count()
      assert.ok(steps[2] < steps[1] - 500, `rubbed out: ${steps}`)
      await page.getByTestId('tool-ellipse').check({ force: true })
      await drag([0.6, 0.2], [0.9, 0.5])
      await told()
      await page.keyboard.press('l')
      await drag([0.6, 0.7], [0.9, 0.9])
      await told()
      await repaint(page)
      await count()
      assert.ok(steps[3] > steps[2] + 1000, `ellipse and line: ${steps}`)
      await page.keyboard.press('i')
      await page.mouse.click(...place(0.3, 0.3))
      assert.ok(await page.getByRole('radio', { name: 'Yellow' }).isChecked(), 'picked from the paper')
      assert.ok(await page.getByTestId('tool-line').isChecked(), 'and back to what was in hand')
      await page.keyboard.press('d')
      await drag([0.6, 0.6], [0.9, 0.6])
      assert.ok((await inked(page, 'paper-top', 2)) > 100, 'ink for pointing is seen')
      if (where !== 'waiting') assert.ok((await answer()).some(({ fades }) => fades))
      await page.waitForTimeout(2300)
      assert.equal(await inked(page, 'paper-top', 0), 0, 'and fades by itself')
      await repaint(page)
      assert.equal(await inked(page, 'paper'), steps[3])
      const size = () => page.locator('input[type=range]').inputValue().then(Number)
      const before = await size()
      await page.mouse.wheel(0, -100)
      await page.keyboard.press(']')
      assert.ok((await size()) > before, 'wheel and key change the size')
      await page.keyboard.press('1')
      assert.ok(await page.getByRole('radio', { name: 'Ink', exact: true }).isChecked())
      await close()
    }
  },

  async 'a pen presses, rubs out with its other end and keeps the hand that holds it off the paper'() {
    const { page, commands, say, close } = await meet('call-veiled')
    await say({ event: 'paper', own: 0, ground: null, items: [] })
    // Each event as a browser makes it, with the reports that came between two of them.
    const pen = (type, x, more = {}) =>
      page.getByTestId('paper-top').evaluate(
        (canvas, { type, x, more }) => {
          const box = canvas.getBoundingClientRect()
          canvas.setPointerCapture = () => undefined
          const event = (x, between, coming) =>
            new PointerEvent(type, {
              pointerId: 5, pointerType: 'pen', bubbles: true, cancelable: true, button: 0, buttons: 1, pressure: 0.5,
              clientX: box.left + x * box.width, clientY: box.top + box.height / 2,
              coalescedEvents: between.map((place) => event(place, [], [])), predictedEvents: coming.map((place) => event(place, [], [])),
              ...more,
            })
          const { between = [], coming = [] } = more
          canvas.dispatchEvent(event(x, between, coming))
        },
        { type, x, more },
      )
    const points = async () => (await commands()).flatMap((command) => command.points ?? [])
    /** How thick the ink is in a column of the sheet, pixels. */
    const thick = (x) =>
      page.evaluate((x) => {
        let most = 0
        for (const id of ['paper-wet', 'paper-top']) {
          const canvas = document.querySelector(`[data-testid=${id}]`)
          const { data } = canvas.getContext('2d').getImageData(Math.round(canvas.width * x), 0, 1, canvas.height)
          let count = 0
          for (let at = 3; at < data.length; at += 4) if (data[at] > 128) count += 1
          most = Math.max(most, count)
        }
        return most
      }, x)

    // Harder and harder; four reports come with each event.
    await pen('pointerdown', 0.1, { pressure: 0.1 })
    for (let step = 1; step <= 30; step += 1) {
      const from = 0.1 + 0.02 * (step - 1)
      await pen('pointermove', from + 0.02, { pressure: step / 30, between: [0.005, 0.01, 0.015, 0.02].map((more) => from + more) })
      await repaint(page)
    }
    assert.ok((await thick(0.65)) > (await thick(0.15)) * 1.5, `thicker where it was pressed: ${await thick(0.15)} and ${await thick(0.65)}`)
    await pen('pointerup', 0.7)
    const pressed = await points()
    assert.ok(pressed.length > 60, `the reports between two events count: ${pressed.length} points of 30 events`)
    assert.ok(pressed.at(-3).pressure > pressed[3].pressure + 80)

    // The palm that lies on the sheet meanwhile, and just after.
    await pen('pointerdown', 0.3, { pointerType: 'touch', pointerId: 6 })
    await pen('pointermove', 0.5, { pointerType: 'touch', pointerId: 6 })
    await pen('pointerup', 0.5, { pointerType: 'touch', pointerId: 6 })
    assert.deepEqual(await commands(), [], 'a palm draws nothing')

    // Switched off, pressing changes nothing.
    await page.getByTestId('pressure').click()
    await commands()
    await pen('pointerdown', 0.1, { pressure: 0.1 })
    for (let step = 1; step <= 10; step += 1) await pen('pointermove', 0.1 + 0.05 * step, { pressure: step / 10 })
    await pen('pointerup', 0.6)
    assert.deepEqual([...new Set((await points()).map(({ pressure }) => pressure))], [128])
    await page.getByTestId('pressure').click()

    // The other end.
    await pen('pointerdown', 0.2, { button: 5, buttons: 32 })
    await pen('pointermove', 0.4, { button: -1, buttons: 32 })
    await pen('pointerup', 0.4, { button: 5, buttons: 0 })
    const rubbed = (await commands()).filter((command) => command.do === 'draw_points')
    assert.ok(rubbed.length > 0 && rubbed.every(({ colour }) => colour === null), 'an eraser, without choosing one')

    // Where the pen is going is seen before it is there, and is not told to anybody.
    await page.waitForTimeout(3100)
    await page.keyboard.press('p')
    await pen('pointerdown', 0.2)
    await pen('pointermove', 0.22, { coming: [0.225, 0.23] })
    await repaint(page)
    assert.ok((await thick(0.226)) > 0, 'drawn ahead of the pen')
    await pen('pointerup', 0.22)
    assert.ok((await points()).every(({ x }) => x <= 0.221 * 16000))
    await close()
  },

  async 'the pointer of the other is seen on the paper, and goes when it rests'() {
    const { page, say, close } = await meet('call-veiled')
    await say({ event: 'paper', own: 0, ground: null, items: [] })
    await repaint(page)
    assert.equal(await inked(page, 'paper-top', 0), 0)
    await say({ event: 'peer_cursor', x: 8000, y: 5000 })
    await repaint(page)
    const colour = await page.getByTestId('paper-top').evaluate((canvas) => [...canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data])
    assert.ok(colour[3] > 20 && colour[0] > colour[1], `a soft mark at its place: ${colour}`)
    await say({ event: 'peer_cursor', x: 2000, y: 5000 })
    await repaint(page)
    const left = await page.getByTestId('paper-top').evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(canvas.width / 2, 0, canvas.width / 2, canvas.height)
      return data.filter((value, at) => at % 4 === 3 && value > 0).length
    })
    assert.equal(left, 0, 'nothing stays where it was')
    await page.waitForTimeout(2700)
    assert.equal(await inked(page, 'paper-top', 0), 0)
    await close()
  },

  async 'any colour can be chosen or picked, and a size by key, wheel or slider'() {
    const { page, commands, say, close } = await meet('call-veiled')
    const box = await page.getByTestId('paper').boundingBox()
    const drawn = async () => {
      await page.mouse.move(box.x + 50, box.y + 40)
      await page.mouse.down()
      await page.mouse.move(box.x + 90, box.y + 60, { steps: 3 })
      await page.mouse.up()
      const { colour, size } = (await commands()).find((command) => command.do === 'draw_points')
      return { colour, size }
    }
    const { size } = await drawn()
    await page.getByTestId('free-colour').evaluate((input) => {
      input.value = '#3cb4a0'
      input.dispatchEvent(new Event('input', { bubbles: true }))
    })
    assert.equal((await drawn()).colour, 0x3cb4a0)
    for (const [key, colour] of [['1', 0x1f1b18], ['0', 0x2d4b8c], ['=', 0xd6739a]]) {
      await page.keyboard.press(key)
      assert.equal((await drawn()).colour, colour)
    }
    const run = { op: { id: { author: 1, seq: 77 }, time: 77, live: 0, kind: { fill: { colour: 0x204060, runs: Array.from({ length: 200 }, (_, row) => [row ? 1400 : 200 * 1600, 200]) } } }, shown: true }
    await say({ event: 'paper', own: 0, ground: null, items: [run] })
    await repaint(page)
    await page.keyboard.press('i')
    await page.mouse.click(box.x + box.width * 0.06, box.y + box.height * 0.3)
    assert.equal((await drawn()).colour, 0x204060, 'picked from what the other has drawn')
    await page.keyboard.press(']')
    const larger = (await drawn()).size
    assert.ok(larger > size)
    await page.mouse.wheel(0, 100)
    assert.equal((await drawn()).size, size)
    await page.locator('input[type=range]').fill('40')
    assert.equal((await drawn()).size, 600)
    await page.locator('input[type=range]').fill('0')
    assert.equal((await drawn()).size, 20)
    await close()
  },

  async 'two thousand marks, an undo far below and another window size leave the same picture'() {
    const { page, say, close } = await meet('call-veiled')
    const items = Array.from({ length: 2000 }, (_, index) => ({
      op: {
        id: { author: index % 2, seq: index + 1 },
        time: index + 1,
        live: 0,
        kind: {
          stroke: {
            colour: (index * 7919) % 0xffffff,
            size: 60,
            points: Array.from({ length: 30 }, (_, at) => ({
              x: (index * 83 + at * 60) % 16000,
              // One of the lowest lies where no other does.
              y: index === 40 ? 150 : Math.round(5000 + 4200 * Math.sin(index / 9 + at / 12)),
              pressure: 128,
            })),
          },
        },
      },
      shown: true,
    }))
    const hash = () =>
      page.getByTestId('paper').evaluate((canvas) => {
        let hash = 0
        for (const byte of canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data) hash = (hash * 31 + byte) | 0
        return hash
      })
    const settled = async () => {
      // What was said, or a new size, is heard of one frame later.
      await repaint(page)
      await repaint(page)
      await page.locator('[data-testid=paper][data-complete=true]').waitFor()
      return hash()
    }
    await say({ event: 'paper', own: 0, ground: null, items })
    const whole = await settled()
    await say({ event: 'paper_change', changes: [{ change: 'show', id: items[40].op.id, shown: false }] })
    const without = await settled()
    assert.notEqual(without, whole)
    await say({ event: 'paper_change', changes: [{ change: 'show', id: items[40].op.id, shown: true }] })
    assert.equal(await settled(), whole)
    await page.setViewportSize({ width: 1000, height: 700 })
    await settled()
    await page.setViewportSize({ width: 1280, height: 800 })
    assert.equal(await settled(), whole)
    await say({ event: 'paper_change', changes: [{ change: 'insert', op: { ...items[0].op, id: { author: 0, seq: 5000 }, kind: 'clear' }, above: 0 }] })
    await settled()
    assert.equal(await inked(page, 'paper'), 0)
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
    for (const id of ['mute', 'camera', 'reveal', 'undo', 'clear', 'save-drawing', 'leave']) await page.getByTestId(id).click()
    assert.deepEqual(
      (await commands()).map((command) => command.do),
      ['mute', 'camera', 'reveal', 'undo', 'clear_paper', 'save_drawing', 'leave'],
    )
    await close()
  },

  async 'what lies over a picture can be acted on, and is said once to those who listen'() {
    const { page, commands, say, close } = await meet('call-covered')
    await page.getByTestId('peer-stay_veiled').click()
    await page.getByTestId('peer-leave').click()
    await page.getByTestId('ask-before-unveiling').check()
    assert.deepEqual(await commands(), [{ do: 'reveal', yes: false }, { do: 'leave' }, { do: 'ask_before_unveiling', on: true }])
    await page.locator('[aria-live=polite]', { hasText: 'Their camera looks covered' }).waitFor({ state: 'attached' })
    await say({ event: 'view', view: viewOf(views['call-ask']) })
    await page.locator('[aria-live=assertive]', { hasText: 'Unveil yours?' }).waitFor({ state: 'attached' })
    await page.getByTestId('own-unveil').click()
    await page.getByTestId('own-stay_veiled').click()
    assert.deepEqual(await commands(), [{ do: 'unveil' }, { do: 'reveal', yes: false }])
    await say({ event: 'view', view: viewOf(views['call-open']) })
    await page.locator('[aria-live=assertive]', { hasText: 'They see you clearly now.' }).waitFor({ state: 'attached' })
    await say({ event: 'view', view: viewOf(views['call-own-covered']) })
    const before = await page.getByTestId('picture-own').boundingBox()
    await page.getByTestId('own-check_lens').click()
    assert.ok((await page.getByTestId('picture-own').boundingBox()).width > before.width * 1.3, 'the own picture becomes larger')
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

  async 'settings and keys lie over every page, beside a call, and Esc closes them without leaving'() {
    for (const name of ['welcome', 'mirror', 'waiting', 'match', 'call-open', 'friends']) {
      const { page, commands, close } = await meet(name)
      const settings = page.getByTestId('settings-page')
      await page.getByTestId('settings').click()
      await settings.waitFor()
      await page.getByTestId('open-keys').click()
      await page.getByTestId('keys-page').waitFor()
      assert.equal(await settings.count(), 0)
      for (const key of ['Escape', '?', '?', 'Control+,', 'Escape']) await page.keyboard.press(key)
      assert.equal(await page.locator('.over[role=dialog]').count(), 0)
      assert.deepEqual(await commands(), [], name)
      await close()
    }
  },

  async 'what is set is kept, and done'() {
    const { page, commands, say, close } = await meet('call-open')
    const own = page.locator('figure:has([data-testid=picture-own])')
    await page.keyboard.press('Control+,')
    await page.getByTestId('mirror-own').uncheck()
    await page.getByTestId('hide-own').check()
    await page.getByTestId('calm').check()
    await page.getByTestId('talk-key').click()
    await page.keyboard.press('m')
    await page.getByText('does something else already').waitFor()
    await page.keyboard.press('k')
    assert.equal(await page.getByTestId('talk-key').textContent(), 'K')
    await page.getByTestId('settings-diagnostics').click()
    await page.keyboard.press('Escape')
    assert.deepEqual(await commands(), [{ do: 'save_diagnostics' }])
    assert.equal(await own.isVisible(), false, 'hidden once both have revealed')
    await say({ event: 'view', view: viewOf(views['call-own-covered']) })
    assert.equal(await own.isVisible(), true, 'there while something is wrong with it')
    await say({ event: 'view', view: viewOf(views['call-veiled']) })
    assert.equal(await own.isVisible(), true, 'and before the reveal')
    await page.reload()
    await own.waitFor({ state: 'hidden' })
    const kept = await page.evaluate(() => JSON.parse(localStorage.getItem('visavis.comfort')))
    assert.deepEqual(kept, { mirror: false, hideOwn: true, calm: true, talkKey: 'k' })
    assert.ok(await page.evaluate(() => document.documentElement.hasAttribute('data-calm')))
    await close()
  },

  async 'a held key opens a muted microphone and shuts it again; who speaks muted is told'() {
    const { page, commands, say, close } = await meet('call-asked')
    await page.keyboard.down('t')
    await page.keyboard.up('t')
    await page.keyboard.down('t')
    await page.evaluate(() => window.dispatchEvent(new Event('blur')))
    await page.keyboard.up('t')
    const pair = [{ do: 'mute', on: false }, { do: 'mute', on: true }]
    assert.deepEqual(await commands(), [...pair, ...pair])
    const notice = page.getByText('You are muted. Hold T to speak.')
    assert.equal(await notice.count(), 0)
    for (let word = 0; word < 6; word += 1) {
      await say({ event: 'microphone_level', level: 0.4 })
      await page.waitForTimeout(120)
    }
    await notice.waitFor()
    await say({ event: 'view', view: viewOf(views['call-open']) })
    await say({ event: 'microphone_level', level: 0.4 })
    await notice.waitFor({ state: 'detached' })
    await close()
  },

  async 'the language and a new page follow at once'() {
    const { page, commands, say, close } = await meet('welcome-refused')
    await page.getByTestId('notice-retry').click()
    await page.getByTestId('notice-dismiss').click()
    await page.getByTestId('sign-in').click()
    assert.deepEqual((await commands()).map((command) => command.do), ['retry', 'dismiss_notice', 'sign_in'])
    await page.getByTestId('language').selectOption('zh')
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
await browser.close()
server.close()
process.exit(failed > 0 ? 1 : 0)
