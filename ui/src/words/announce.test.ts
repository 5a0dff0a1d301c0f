import { describe, expect, it } from 'vitest'
import { Announcer } from './announce'

function rig(): { announcer: Announcer; said: string[]; pass: (ms: number) => void } {
  const said: string[] = []
  const timers = new Map<number, { at: number; callback: () => void }>()
  let now = 0
  let last = 0
  const announcer = new Announcer({
    now: () => now,
    later: (callback, ms) => {
      last += 1
      timers.set(last, { at: now + ms, callback })
      return last
    },
    cancel: (timer) => timers.delete(timer),
    say: (sentence) => said.push(sentence),
  })
  const pass = (ms: number): void => {
    now += ms
    for (const [id, timer] of [...timers]) {
      if (timer.at > now) continue
      timers.delete(id)
      timer.callback()
    }
  }
  return { announcer, said, pass }
}

describe('Announcer', () => {
  it('says what stays, once', () => {
    const { announcer, said, pass } = rig()
    announcer.hear('covered')
    pass(100)
    expect(said).toEqual([])
    announcer.hear('covered')
    pass(500)
    pass(60_000)
    expect(said).toEqual(['covered'])
  })

  it('says nothing of a flicker, and nothing again that came and went', () => {
    const { announcer, said, pass } = rig()
    for (let turn = 0; turn < 10; turn += 1) {
      announcer.hear('covered')
      pass(300)
      announcer.hear(null)
      pass(300)
    }
    expect(said).toEqual([])
    for (let turn = 0; turn < 8; turn += 1) {
      announcer.hear('covered')
      pass(1000)
      announcer.hear(null)
      pass(1000)
    }
    expect(said).toEqual(['covered'])
    pass(30_000)
    announcer.hear('covered')
    pass(1000)
    expect(said).toEqual(['covered', 'covered'])
  })

  it('says another sentence in its place', () => {
    const { announcer, said, pass } = rig()
    announcer.hear('covered')
    pass(400)
    announcer.hear('dark')
    pass(600)
    announcer.hear('off')
    announcer.stop()
    pass(5000)
    expect(said).toEqual(['dark'])
  })
})
