import { describe, expect, it } from 'vitest'
import type { View } from '../bindings/View'
import { shellKey, worthSaying } from './desktop.svelte'

const view = (page: string, ring: unknown = null, unread = 0): View => ({ page: { page }, ring, unread }) as unknown as View
const ring = (outgoing: boolean) => ({ follow: 'f', name: 'Mia', outgoing, answered: false, left_s: 30 })

describe('what is said on the desktop', () => {
  it('is what is new, once', () => {
    expect(worthSaying(view('waiting'), view('match'))).toBe('match')
    expect(worthSaying(view('match'), view('match'))).toBeNull()
    expect(worthSaying(view('friends'), view('friends', ring(false)))).toBe('ring')
    expect(worthSaying(view('friends', ring(false)), view('friends', ring(false)))).toBeNull()
    expect(worthSaying(view('friends'), view('friends', null, 1))).toBe('text')
    expect(worthSaying(view('friends', null, 2), view('friends', null, 1))).toBeNull()
  })

  it('is not what the person did', () => {
    expect(worthSaying(view('friends'), view('friends', ring(true)))).toBeNull()
    expect(worthSaying(view('mirror'), view('waiting'))).toBeNull()
  })
})

describe('a key for any program', () => {
  const key = (code: string, held: Partial<KeyboardEvent> = {}) =>
    shellKey({ code, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, ...held })

  it('is named as the shell names it', () => {
    expect(key('F9')).toBe('F9')
    expect(key('KeyT', { ctrlKey: true, shiftKey: true })).toBe('Ctrl+Shift+KeyT')
    expect(key('Space', { altKey: true, metaKey: true })).toBe('Alt+Super+Space')
  })

  it('waits for more than Ctrl', () => {
    expect(key('ControlLeft', { ctrlKey: true })).toBeNull()
  })
})
