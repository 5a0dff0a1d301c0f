import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import en from '@locales/en.json'
import zh from '@locales/zh.json'
import { describe, expect, it, vi } from 'vitest'
import type { Notice } from '../bindings/Notice'
import type { RefusalCode } from '../bindings/RefusalCode'
import { argumentsOf } from './format'
import { noticeWords, reasonWords } from './tables'
import { languages, pickLanguage, setLanguage } from './words.svelte'

const source = fileURLToPath(new URL('..', import.meta.url))
const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|svelte)$/.test(name) && !name.endsWith('.test.ts') && !name.startsWith('bindings'))
  .map((name) => readFileSync(join(source, name), 'utf8'))
  .join('\n')

const catalogues: Record<string, Record<string, string>> = { en, zh }

describe('catalogues', () => {
  it('have the same keys', () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en))
  })

  it('ask for the same values', () => {
    for (const [key, message] of Object.entries(en)) {
      expect(argumentsOf(catalogues.zh?.[key] ?? ''), key).toEqual(argumentsOf(message))
    }
  })

  it('hold every key that is used, and none that is not', () => {
    const literals = new Set([...code.matchAll(/'([a-z_]+(?:\.[a-z_]+)+)'/g)].map((match) => match[1] ?? ''))
    const families = new Set(Object.keys(en).map((key) => key.split('.')[0]))
    const used = [...literals].filter((key) => families.has(key.split('.')[0]) && !key.startsWith('visavis.'))
    expect(used.filter((key) => !(key in en))).toEqual([])
    expect(Object.keys(en).filter((key) => !literals.has(key))).toEqual([])
  })

  it('are calm and never empty', () => {
    for (const catalogue of Object.values(catalogues)) {
      for (const [key, message] of Object.entries(catalogue)) {
        expect(message.trim(), key).not.toBe('')
        expect(message, key).not.toMatch(/[!！]/)
      }
    }
  })
})

/** Members of a union of string literals, as ts-rs has written it. */
function members(type: string): string[] {
  const text = readFileSync(join(source, 'bindings', `${type}.ts`), 'utf8')
  const union = text.slice(text.indexOf('export type'))
  return [...union.matchAll(/"([a-z_]+)"/g)].map((match) => match[1] ?? '')
}

describe('words for what the shell says', () => {
  vi.stubGlobal('document', { documentElement: {} })

  it('has a full sentence for every refusal', () => {
    const codes = members('RefusalCode') as RefusalCode[]
    expect(codes.length).toBeGreaterThan(10)
    for (const { tag } of languages) {
      setLanguage(tag, false)
      const texts = codes.map((refusal) => noticeWords({ notice: 'refused', code: refusal, message: 'Because.' }).text)
      expect(new Set(texts).size).toBe(codes.length)
      for (const text of texts) expect(text).toMatch(/[.。]$/)
    }
    setLanguage('en', false)
    expect(noticeWords({ notice: 'refused', code: 'newer' as RefusalCode, message: 'No seats.' }).text).toContain('No seats.')
  })

  it('has a full sentence for every notice, with what it speaks of', () => {
    const names = [...readFileSync(join(source, 'bindings/Notice.ts'), 'utf8').matchAll(/"notice": "([a-z_]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    expect(names.length).toBeGreaterThan(10)
    for (const notice of names.filter((name) => name !== 'refused')) {
      const given = { notice, host: 'HOST', url: 'URL', name: 'NAME', detail: 'DETAIL', path: 'PATH', folder: 'FOLDER', decided_by: 0, held_until: null } as unknown as Notice
      const { text } = noticeWords(given)
      expect(text, notice).toMatch(/([.]|URL|PATH)$/)
      if (notice.startsWith('camera_') && notice !== 'camera_failed') expect(text).toContain('NAME')
    }
  })

  it('turns reasons into sentences', () => {
    expect(reasonWords({ because: 'same_city', city: 'Lisbon' })).toBe('You are both in Lisbon.')
    expect(reasonWords({ because: 'both_like', interests: ['drawing', 'old maps'] })).toBe('You both like drawing and old maps.')
    expect(reasonWords({ because: 'same_language', language: 'zh' })).toBe('You both speak Chinese.')
    expect(reasonWords({ because: 'same_language', language: 'not a tag' })).toBe('You both speak not a tag.')
  })
})

describe('pickLanguage', () => {
  it('takes the first one known, by its primary tag', () => {
    expect(pickLanguage(['fr-FR', 'zh-Hant-TW', 'en'])).toBe('zh')
    expect(pickLanguage(['EN-gb'])).toBe('en')
    expect(pickLanguage([])).toBe('en')
  })
})
