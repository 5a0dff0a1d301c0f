// Settings, keys, push-to-talk and what is remembered of them, on the built page: node e2e/comfort.mjs [PART OF A NAME]
import assert from 'node:assert/strict'
import { meet, tell } from './stories.mjs'
import { viewOf, views } from './views.mjs'

await tell({
  async 'what is done to the sound, and whether friends may connect directly, is chosen here'() {
    const { page, commands, close } = await meet('mirror')
    const choices = { echo_cancellation: true, noise_suppression: true, gain_control: true, direct_calls: false, volume: 100 }
    await page.getByTestId('settings').click()
    await page.getByTestId('noise-suppression').uncheck()
    await page.getByTestId('direct-calls').check()
    assert.deepEqual(await commands(), [
      { do: 'choose', choices: { ...choices, noise_suppression: false } },
      { do: 'choose', choices: { ...choices, direct_calls: true } },
    ])
    await close()
  },
  async 'a newer version is looked for, fetched and installed by hand, where an operator configured that'() {
    const { page, close } = await meet('mirror')
    await page.keyboard.press('Control+,')
    await page.getByTestId('about').waitFor()
    assert.equal(await page.getByTestId('updates').count(), 0, 'nobody configured it')
    await page.keyboard.press('Escape')
    const script = (now, steps) => page.evaluate(([now, steps]) => Object.assign(window.scripted.updates, { now, steps }), [now, steps])
    const version = '2.0.0'
    await script({ state: 'not_asked' }, {
      ask: [{ state: 'asking' }, { state: 'offered', version }],
      fetch: [{ state: 'fetching', version, percent: 40 }, { state: 'failed', problem: { problem: 'not_signed' } }],
    })
    await page.keyboard.press('Control+,')
    await page.getByTestId('updates-ask').click()
    await page.getByText('Version 2.0.0 is there.').waitFor()
    await page.getByTestId('updates-fetch').click()
    await page.getByText('is not signed by whoever gave you Visavis').waitFor()
    assert.equal(await page.getByTestId('updates-install').count(), 0)
    await script({ state: 'fetching', version, percent: 40 }, {})
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+,')
    await page.getByText('Fetching version 2.0.0: 40%.').waitFor()
    assert.equal(await page.getByRole('progressbar').getAttribute('value'), '40')
    await script({ state: 'signed', version }, { install: [{ state: 'installing', version }, { state: 'installed', version }] })
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+,')
    await page.getByTestId('updates-install').click()
    await page.getByText('It is used when you next open Visavis.').waitFor()
    assert.deepEqual(await page.evaluate(() => window.scripted.updates.taken), ['ask', 'fetch', 'install'])
    await close()
  },
  async 'nothing is installed during a meeting'() {
    const { page, close } = await meet('call-open')
    await page.evaluate(() => (window.scripted.updates.now = { state: 'signed', version: '2.0.0' }))
    await page.keyboard.press('Control+,')
    await page.getByText('It can be installed after this meeting.').waitFor()
    assert.equal(await page.getByTestId('updates-install').isDisabled(), true)
    await close()
  },
  async 'pickers say what is the default and what is not plugged in, and why a device is kept back'() {
    const { page, commands, say, close } = await meet('mirror-unplugged')
    const options = (id) => page.getByTestId(id).locator('option').allTextContents()
    assert.deepEqual(await options('camera-select'), ['Drawn face', 'Integrated Camera (not plugged in)'])
    assert.equal(await page.getByTestId('camera-select').locator('option').last().isDisabled(), true)
    assert.equal(await page.getByTestId('camera-select').inputValue(), 'usb', 'what is chosen stays chosen')
    assert.equal((await options('microphone-select'))[0], 'Default: Built-in Audio Analogue Stereo')
    await page.getByRole('alert').getByText('Built-in Audio Analogue Stereo is used until it is back.').waitFor()
    await page.getByTestId('camera-select').selectOption('face')
    assert.deepEqual(await commands(), [{ do: 'choose_camera', id: 'face' }])
    for (const [why, words] of [
      ['windows_privacy', 'Let desktop apps access your camera'],
      ['macos_privacy', 'System Settings, Privacy & Security, Camera'],
      ['linux_group', 'sudo usermod -aG video $USER'],
      ['linux_policy', 'Flatpak, Snap'],
    ]) {
      await say({ event: 'view', view: { ...viewOf(views['mirror-denied']), notice: { notice: 'camera_denied', name: 'Front', why } } })
      await page.getByRole('alert').getByText(words).waitFor()
    }
    await page.getByTestId('notice-retry').click()
    assert.deepEqual(await commands(), [{ do: 'retry' }])
    await close()
  },
  async 'the other is as loud as one likes, by slider and by keys'() {
    const { page, commands, say, close } = await meet('call-open')
    const volumes = async () => (await commands()).map(({ do: name, choices }) => [name, choices?.volume])
    const quieter = (volume) => say({ event: 'view', view: { ...viewOf(views['call-open']), choices: { ...viewOf(views['call-open']).choices, volume } } })
    await page.keyboard.press('Control+ArrowUp')
    assert.deepEqual(await volumes(), [], 'louder than it comes is not to be had')
    await page.keyboard.press('Control+ArrowDown')
    assert.deepEqual(await volumes(), [['choose', 90]])
    await quieter(5)
    assert.equal(await page.getByTestId('volume').getAttribute('aria-valuetext'), '5%')
    await page.keyboard.press('Control+ArrowDown')
    await page.getByTestId('volume').fill('60')
    assert.deepEqual(await volumes(), [['choose', 0], ['choose', 60]])
    await close()
  },
  async 'the small window has the other, what they see, and the way out; the call goes on in it'() {
    const { page, commands, say, close } = await meet('call-open')
    await page.setViewportSize({ width: 360, height: 296 })
    await page.keyboard.press('w')
    await page.locator('[data-small]').waitFor()
    assert.deepEqual(await page.evaluate(() => window.scripted.small), [true])
    await page.locator('[data-testid=picture-peer][data-sequence]').waitFor()
    assert.equal(await page.getByTestId('paper').count(), 0)
    await page.getByText('They see: clear').waitFor()
    for (const id of ['mute', 'leave', 'large-window']) {
      const { x, y, width, height } = await page.getByTestId(id).boundingBox()
      assert.ok(x >= 0 && y >= 0 && x + width <= 360 && y + height <= 296, `${id} is in the window`)
    }
    await page.getByTestId('mute').click()
    await page.keyboard.press('m')
    assert.deepEqual((await commands()).map(({ do: name }) => name), ['mute', 'mute'])
    await say({ event: 'view', view: viewOf(views['call-own-covered']) })
    await page.getByRole('toolbar').getByText('You look covered to them').waitFor()
    await page.getByTestId('large-window').click()
    await page.getByTestId('paper').waitFor()
    await page.getByTestId('small-window').click()
    await page.locator('[data-small]').waitFor()
    await say({ event: 'view', view: viewOf(views.parting) })
    await page.locator('[data-page=parting]').waitFor()
    assert.deepEqual(await page.evaluate(() => window.scripted.small), [true, false, true, false], 'no small window is left behind')
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

  async 'the desktop says what is new, and is told what to do'() {
    const { page, say, close } = await meet('waiting')
    await say({ event: 'view', view: viewOf(views.match) })
    await say({ event: 'view', view: viewOf(views.match) })
    assert.deepEqual(await page.evaluate(() => window.scripted.said), ['Somebody was found. They are waiting for your answer.'])
    await page.keyboard.press('Control+,')
    await page.getByTestId('stay').check()
    await page.getByTestId('notifications').uncheck()
    await page.getByTestId('talk-anywhere').click()
    await page.keyboard.press('t')
    await page.getByText('That key is needed for writing').waitFor()
    await page.getByTestId('talk-anywhere').click()
    await page.keyboard.press('Control+Shift+t')
    await page.getByText('Ctrl+Shift+KeyT').waitFor()
    assert.equal(await page.getByText('That key is needed for writing').count(), 0)
    await page.getByTestId('tray').uncheck()
    assert.ok(await page.getByTestId('stay').isDisabled(), 'nothing to stay in')
    await page.getByTestId('talk-nowhere').click()
    assert.equal(await page.getByTestId('talk-anywhere').textContent(), 'No key')
    await close()
  },
})
