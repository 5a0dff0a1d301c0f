// What a user does on the built page and what the shell hears of it: node e2e/acts.mjs [PART OF A NAME]
import assert from 'node:assert/strict'
import { meet, tell } from './stories.mjs'
import { viewOf, views } from './views.mjs'

await tell({
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

  async 'a new second of the clock moves nothing beside it, and no figure of it is cut off'() {
    for (const locale of ['en', 'zh', 'es', 'fr', 'de', 'pt', 'ja', 'ar']) {
      const { page, say, close } = await meet('call-open', locale)
      const { page: call } = views['call-open']
      const seconds = async (duration_s) => {
        const before = await page.locator('.clock').innerText()
        await say({ event: 'view', view: viewOf({ ...views['call-open'], page: { ...call, duration_s } }) })
        await page.waitForFunction((text) => document.querySelector('.clock').innerText !== text, before)
        return page.locator('.clock').evaluate((clock) => {
          const range = document.createRange()
          range.selectNodeContents(clock)
          const [text, box] = [range, clock].map((of) => of.getBoundingClientRect())
          const beside = document.querySelector('[data-testid=connection]').getBoundingClientRect()
          return { whole: text.left >= box.left && text.right <= box.right && text.top >= box.top && text.bottom <= box.bottom + 1, x: beside.x, y: beside.y }
        })
      }
      const places = []
      for (const duration_s of [8, 9, 11, 59 * 60 + 58, 3599, 3600, 36_000]) places.push(await seconds(duration_s))
      assert.ok(places.every(({ whole }) => whole), `${locale}: ${JSON.stringify(places)}`)
      assert.deepEqual(places[1], places[0])
      assert.deepEqual(places[2], places[0])
      // What is laid out anew ends at its box: without it each second painted the paper anew.
      assert.match(await page.locator('.clock').evaluate((clock) => getComputedStyle(clock).contain), /^(strict|size layout paint( style)?)$/)
      await close()
    }
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

  async 'the address of a server is entered, with what is wrong in words, and another can be chosen before signing in'() {
    const { page, commands, say, close } = await meet('server')
    const at = page.getByTestId('server-address')
    assert.ok(await page.getByTestId('server-use').isDisabled(), 'there is nothing to use')
    assert.equal(await page.getByTestId('server-close').count(), 0, 'nor to go back to')
    await at.fill('visavis.exmaple:8443')
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [{ do: 'use_server', address: 'visavis.exmaple:8443' }])
    await say({ event: 'view', view: viewOf(views['server-checking']) })
    await page.getByText('Asking the server').waitFor()
    await page.keyboard.press('Enter')
    assert.deepEqual(await commands(), [], 'one at a time')
    await say({ event: 'view', view: viewOf(views['server-problem']) })
    await page.getByRole('alert').getByText('vouches for visavis.exmaple:8443').waitFor()
    assert.equal(await at.inputValue(), 'visavis.exmaple:8443')
    await at.fill('visavis.example:8443')
    assert.equal(await page.getByText('vouches for').count(), 0, 'it speaks of what is no longer there')
    await page.getByTestId('server-suggested').click()
    await page.getByTestId('server-close').click()
    assert.deepEqual(await commands(), [{ do: 'use_server', address: 'https://visavis.example' }, { do: 'close_server' }])
    await say({ event: 'view', view: viewOf(views.welcome) })
    await page.getByTestId('open-server').click()
    await page.getByTestId('settings').click()
    await page.getByTestId('settings-open-server').click()
    assert.deepEqual(await commands(), [{ do: 'open_server' }, { do: 'open_server' }])
    await say({ event: 'view', view: viewOf({ ...views.welcome, server: { address: 'https://visavis.example', fixed: true } }) })
    await page.getByText('cannot be changed here').waitFor()
    assert.equal(await page.getByTestId('open-server').count(), 0)
    await say({ event: 'view', view: viewOf(views.mirror) })
    await page.getByTestId('settings').click()
    await page.getByText('Sign out to use another server').waitFor()
    await close()
  },

  async 'the language and a new page follow'() {
    const { page, commands, say, close } = await meet('welcome-refused')
    await page.getByTestId('notice-retry').click()
    await page.getByTestId('notice-dismiss').click()
    await page.getByTestId('sign-in').click()
    assert.deepEqual((await commands()).map((command) => command.do), ['retry', 'dismiss_notice', 'sign_in'])
    await page.getByTestId('language').selectOption('zh')
    // Its texts are fetched first, and only then does the page speak it.
    await page.locator('html[lang=zh]').waitFor()
    await say({ event: 'view', view: viewOf(views.mirror) })
    await page.getByText('先照照镜子').waitFor()
    assert.equal(await page.getByTestId('notice').count(), 0)
    await page.getByTestId('camera-select').selectOption('face')
    await page.getByTestId('meet').click()
    assert.deepEqual(await commands(), [{ do: 'choose_camera', id: 'face' }, { do: 'meet' }])
    await close()
  },

  async 'the language of last time is the first that is seen; without its file the page is English'() {
    const { page, close } = await meet('welcome')
    // Every text that the page ever shows.
    await page.addInitScript(() => {
      window.seen = []
      const look = () => window.seen.push(document.getElementById('app')?.innerText ?? '')
      new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true })
    })
    await page.getByTestId('language').selectOption('ar')
    await page.locator('html[lang=ar]').waitFor()
    // Its file takes its time.
    let fetched = 0
    await page.route('**/assets/ar-*.js', (route) => setTimeout(() => route.continue(), (fetched += 1) && 400))
    await page.reload()
    await page.locator('html[lang=ar][dir=rtl] [data-testid=sign-in]').waitFor()
    const seen = await page.evaluate(() => window.seen)
    assert.ok(seen.length > 0 && fetched === 1)
    assert.deepEqual(seen.filter((text) => /Sign in/.test(text)), [], 'not one word of English')
    await page.unroute('**/assets/ar-*.js')
    await page.route('**/assets/ar-*.js', (route) => route.abort())
    await page.reload()
    await page.locator('html[lang=en][dir=ltr] [data-testid=sign-in]').getByText('Sign in').waitFor()
    assert.equal(await page.getByTestId('language').inputValue(), 'en')
    // Where it is there again, it is spoken again.
    await page.unroute('**/assets/ar-*.js')
    await page.reload()
    await page.locator('html[lang=ar][dir=rtl]').waitFor()
    await close()
  },
})
