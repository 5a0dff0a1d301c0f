import { describe, expect, it } from 'vitest'
import { argumentsOf, clock, format, MessageError } from './format'

describe('format', () => {
  it('puts values in their places', () => {
    expect(format('The camera {name} is at {place}.', 'en', { name: 'A', place: 'B' })).toBe('The camera A is at B.')
  })

  it('chooses the plural form of the language', () => {
    const message = '{n, plural, one {# minute} other {# minutes}} left'
    expect(format(message, 'en', { n: 1 })).toBe('1 minute left')
    expect(format(message, 'en', { n: 2 })).toBe('2 minutes left')
    expect(format(message, 'zh', { n: 1 })).toBe('1 minutes left')
    const polish = '{n, plural, one {#a} few {#b} many {#c} other {#d}}'
    expect([1, 3, 5].map((n) => format(polish, 'pl', { n }))).toEqual(['1a', '3b', '5c'])
  })

  it('leaves braces of a value alone', () => {
    expect(format('{name}', 'en', { name: '{oops} #' })).toBe('{oops} #')
  })

  it('refuses what is malformed or not given', () => {
    for (const message of ['{', '}', '{a', '{n, plural, one {#}}', '{n, plural, other {#}', '{Name}', '{n, plural, some {x} other {y}}']) {
      expect(() => format(message, 'en', { a: 1, n: 1 }), message).toThrow(MessageError)
    }
    expect(() => format('{missing}', 'en')).toThrow(MessageError)
  })

  it('names the arguments', () => {
    expect(argumentsOf('{b} {n, plural, one {{a} #} other {#}}')).toEqual(['a', 'b', 'n'])
  })
})

describe('clock', () => {
  it('writes minutes, and hours when there are some', () => {
    expect([0, 65, 599, 3600, 3665].map((seconds) => clock(seconds))).toEqual(['00:00', '01:05', '09:59', '1:00:00', '1:01:05'])
  })

  it('uses the digits of the language', () => {
    expect(clock(65, 'ar-EG')).toBe('٠١:٠٥')
  })

  it('is calm about nonsense', () => {
    expect(clock(-3)).toBe('00:00')
  })
})
