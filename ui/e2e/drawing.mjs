// Drawing on the built page, and what the shell hears of it: node e2e/drawing.mjs [PART OF A NAME]
import assert from 'node:assert/strict'
import { inked, meet, repaint, tell } from './stories.mjs'

await tell({
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
      // While it is drawn: on a slow machine it may be gone before anybody looks.
      await page.mouse.move(...place(0.6, 0.6))
      await page.mouse.down()
      let pointed = 0
      for (let step = 1; step <= 30 && pointed <= 100; step += 1) {
        await page.mouse.move(...place(0.6 + step / 100, 0.6))
        await repaint(page)
        pointed = await inked(page, 'paper-top', 2)
      }
      await page.mouse.up()
      assert.ok(pointed > 100, 'ink for pointing is seen')
      if (where !== 'waiting') assert.ok((await answer()).some(({ fades }) => fades))
      await page.waitForTimeout(2300)
      assert.equal(await inked(page, 'paper-top', 0), 0, 'and fades by itself')
      await repaint(page)
      assert.equal(await inked(page, 'paper'), steps[3])
      const size = () => page.getByRole('slider', { name: /size/i }).inputValue().then(Number)
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

    // The palm that lies on the sheet while the pen hovers; at once, for time counts.
    await page.getByTestId('paper-top').evaluate((canvas) => {
      const box = canvas.getBoundingClientRect()
      const say = (type, pointerType, x, buttons) =>
        canvas.dispatchEvent(
          new PointerEvent(type, { pointerId: pointerType === 'pen' ? 5 : 6, pointerType, bubbles: true, button: 0, buttons, clientX: box.left + x * box.width, clientY: box.top + 50 }),
        )
      say('pointermove', 'pen', 0.7, 0)
      for (const [type, x] of [['pointerdown', 0.3], ['pointermove', 0.5], ['pointerup', 0.5]]) say(type, 'touch', x, 1)
    })
    assert.deepEqual(
      (await commands()).map((command) => [command.do, command.x]),
      [['move_cursor', 11200]],
      'a palm draws nothing',
    )

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
    // In one breath, for the ring does not stay.
    const ringAfter = (change) =>
      page.evaluate(async (change) => {
        const top = document.querySelector('[data-testid=paper-top]')
        const box = top.getBoundingClientRect()
        if (change === 'key') window.dispatchEvent(new KeyboardEvent('keydown', { key: ']', code: 'BracketRight', bubbles: true }))
        else {
          top.dispatchEvent(new PointerEvent('pointermove', { pointerId: 1, pointerType: 'mouse', bubbles: true, clientX: box.left + 200, clientY: box.top + 100 }))
          top.dispatchEvent(new WheelEvent('wheel', { deltaY: 100, bubbles: true, cancelable: true }))
        }
        await new Promise((done) => requestAnimationFrame(done))
        const ring = document.querySelector('[data-testid=size-ring]')?.getBoundingClientRect()
        return ring && { width: ring.width, x: ring.x + ring.width / 2 - box.x, y: ring.y + ring.height / 2 - box.y }
      }, change)
    await page.getByTestId('size-ring').waitFor({ state: 'detached' })
    const wide = await ringAfter('key')
    const larger = (await drawn()).size
    assert.ok(larger > size)
    assert.ok(Math.abs(wide.width - (larger / 16000) * box.width) < 0.5, `the ring is as wide as the brush: ${JSON.stringify(wide)}`)
    const there = await ringAfter('wheel')
    assert.ok(Math.hypot(there.x - 200, there.y - 100) < 1, `it is where the pointer is: ${JSON.stringify(there)}`)
    assert.equal((await drawn()).size, size)
    await page.getByTestId('size-ring').waitFor({ state: 'detached', timeout: 8000 })
    await page.getByRole('slider', { name: /size/i }).fill('40')
    assert.equal((await drawn()).size, 600)
    await page.getByRole('slider', { name: /size/i }).fill('0')
    assert.equal((await drawn()).size, 20)
    await close()
  },

  async 'what a peer can send at most does not stop the pictures'() {
    const { page, say, close } = await meet('call-open')
    const canvas = page.getByTestId('picture-peer')
    const sequence = () => canvas.evaluate((element) => Number(element.dataset.sequence))
    const pictures = async (during) => {
      const [before, began] = [await sequence(), Date.now()]
      await during()
      await page.waitForTimeout(Math.max(0, began + 3000 - Date.now()))
      return ((await sequence()) - before) / ((Date.now() - began) / 1000)
    }
    await page.waitForFunction(() => Number(document.querySelector('[data-testid=picture-peer]').dataset.sequence) > 20)
    const calm = await pictures(() => undefined)
    let seq = 0
    // The burst that a session lets through by its allowance: fills of far corners, or thick scribbles all over the sheet.
    const corners = { fill: { colour: 0x334455, runs: [[0, 9], [1600 * 999, 9]] } }
    const place = (index, turn) => Math.round(0.5 * (1 + Math.sin(index * turn)) * 9999)
    const scribble = { stroke: { colour: 0x884422, size: 1000, points: Array.from({ length: 4000 }, (_, at) => ({ x: place(at, 1.3), y: place(at, 2.1), pressure: 255 })) } }
    const changes = (count, kind) =>
      Array.from({ length: count }, () => {
        seq += 1
        return { change: 'insert', op: { id: { author: 1, seq }, time: seq, live: 0, kind }, above: 0 }
      })
    const filled = await pictures(() => say({ event: 'paper_change', changes: changes(280, corners) }))
    const scribbled = await pictures(() => say({ event: 'paper_change', changes: changes(2, scribble) }))
    await say({ event: 'paper', own: 0, ground: null, items: [] })
    const ink = { colour: 0x884422, size: 1000, fades: true }
    const faded = await pictures(async () => {
      // Eight sheets of ink a second, which is all that is let through: three seconds of it, in twelve strokes.
      for (let stroke = 0; stroke < 12; stroke += 1) await say({ event: 'peer_ink', stroke, ink, from: 0, points: scribble.stroke.points.slice(0, 40) })
    })
    const words = `pictures a second: ${[calm, filled, scribbled, faded].map((rate) => rate.toFixed(1)).join(', ')}`
    console.log(`        ${words} (calm, fills, scribbles, fading ink)`)
    for (const rate of [filled, scribbled, faded]) assert.ok(rate > calm / 2, words)
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

})
