import { describe, expect, it } from 'vitest'
import { COLOUR_KEYS, TOOL_KEYS } from '../paper/tools.svelte'
import { mayTalk, parseComfort } from './comfort.svelte'
import { Hold, Speaking } from './talk'

describe('parseComfort', () => {
  it('keeps what makes sense of what was remembered', () => {
    const given = parseComfort(null)
    for (const nonsense of ['', 'x', '3', '[]', '{"mirror":"yes","talkKey":"Tab"}', '{"talkKey":7}']) {
      expect(parseComfort(nonsense), nonsense).toEqual(given)
    }
    expect(parseComfort('{"mirror":false,"talkKey":"j"}')).toEqual({ ...given, mirror: false, talkKey: 'j' })
  })
})

describe('mayTalk', () => {
  it('takes no key that does something else', () => {
    for (const key of [...Object.values(TOOL_KEYS), ...COLOUR_KEYS].map((key) => key.toLowerCase())) expect(mayTalk(key), key).toBe(false)
    for (const key of [' ', '', 'tab', 'enter', 'escape', 'm', '?', 'f11']) expect(mayTalk(key), key).toBe(false)
    for (const key of ['t', 'k', 'ж', 'f8', '`']) expect(mayTalk(key), key).toBe(true)
  })
})

describe('Hold', () => {
  it('opens a shut microphone as long as it is held, and leaves an open one alone', () => {
    const told: boolean[] = []
    const hold = new Hold((on) => told.push(on))
    hold.down(false)
    hold.up()
    expect(told).toEqual([])
    hold.down(true)
    hold.down(false)
    hold.up()
    hold.up()
    expect(told).toEqual([false, true])
  })
})

describe('Speaking', () => {
  it('takes a voice for one, and no knock', () => {
    const speaking = new Speaking()
    expect([0, 100].map((now) => speaking.hear(0.5, true, now))).toEqual([false, false])
    expect(speaking.hear(0.01, true, 200)).toBe(false)
    const voice = [300, 400, 500, 600, 700].map((now) => speaking.hear(0.3, true, now))
    expect(voice).toEqual([false, false, false, false, true])
  })

  it('goes some seconds after the last word, and at once with the mute', () => {
    const speaking = new Speaking()
    for (let now = 0; now <= 500; now += 100) speaking.hear(0.3, true, now)
    expect(speaking.hear(0, true, 4400)).toBe(true)
    expect(speaking.hear(0, true, 4600)).toBe(false)
    for (let now = 5000; now <= 5500; now += 100) speaking.hear(0.3, true, now)
    expect(speaking.hear(0.3, false, 5600)).toBe(false)
    expect(speaking.hear(0.3, true, 5700)).toBe(false)
  })
})
