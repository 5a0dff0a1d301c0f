import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ar from '@locales/ar.json'
import de from '@locales/de.json'
import en from '@locales/en.json'
import es from '@locales/es.json'
import fr from '@locales/fr.json'
import ja from '@locales/ja.json'
import pt from '@locales/pt.json'
import zh from '@locales/zh.json'
import { describe, expect, it, vi } from 'vitest'
import type { Forbidden } from '../bindings/Forbidden'
import type { Notice } from '../bindings/Notice'
import type { ServerProblem } from '../bindings/ServerProblem'
import type { RefusalCode } from '../bindings/RefusalCode'
import { argumentsOf, pluralsOf } from './format'
import { LOOKS, noticeWords, OWN_WARNINGS, PEER_WARNINGS, reasonWords, serverWords, SHOWN, VEILED_BECAUSE } from './tables'
import { languages, localeOf, pickLanguage, setLanguage, t, TAGS } from './words.svelte'

const source = fileURLToPath(new URL('..', import.meta.url))
const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|svelte)$/.test(name) && !name.endsWith('.test.ts') && !name.startsWith('bindings'))
  .map((name) => readFileSync(join(source, name), 'utf8'))
  .join('\n')

const catalogues: Record<string, Record<string, string>> = { en, zh, es, fr, de, pt, ja, ar }
/** The words of pages, between tags and in the attributes that are read out, without what is computed. */
function hardCoded(text: string): string[] {
  let page = text.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>|<!--[\s\S]*?-->/g, '')
  for (let before = ''; before !== page; ) {
    before = page
    page = page.replace(/\{[^{}]*\}/g, '')
  }
  const named = [...page.matchAll(/\s(?:aria-label|title|placeholder|alt)="([^"]*\p{L}[^"]*)"/gu)].map((match) => match[1] ?? '')
  const shown = page.replace(/<[^<>]*>/g, '\n').split('\n')
  return [...named, ...shown].map((line) => line.trim()).filter((line) => /\p{L}/u.test(line))
}

describe('catalogues', () => {
  it('are whole in each of the eight languages, in one order', () => {
    expect(Object.keys(catalogues).sort()).toEqual([...TAGS].sort())
    expect(TAGS).toHaveLength(8)
    for (const tag of TAGS) {
      const keys = Object.keys(catalogues[tag] ?? {})
      expect(Object.keys(en).filter((key) => !keys.includes(key)), `${tag} lacks`).toEqual([])
      expect(keys, tag).toEqual(Object.keys(en))
    }
  })

  it('say in each of the eight languages who is seen and why not', () => {
    const said = (table: Record<string, string | null>): string[] => Object.values(table).filter((key) => key !== null)
    const tables = [LOOKS, PEER_WARNINGS, OWN_WARNINGS, SHOWN, VEILED_BECAUSE].flatMap(said)
    // What pages add to the tables: the families, the question, and what one can do.
    const families = Object.keys(en).filter((key) => /^(looks|warn|shows|veil|ask)\.|^notice\.camera_/.test(key))
    const actions = 'reveal stay_veiled veil_again unveil leave check_lens camera_on camera_off now_clear now_veiled you_see they_see'
    const needed = new Set([...tables, ...families, ...actions.split(' ').map((action) => `call.${action}`)])
    expect(needed.size).toBeGreaterThan(50)
    for (const tag of TAGS) {
      const catalogue = catalogues[tag] ?? {}
      expect([...needed].filter((key) => !(key in catalogue)), tag).toEqual([])
      // Two states that a person must tell apart have two sentences.
      for (const table of [LOOKS, PEER_WARNINGS, OWN_WARNINGS, SHOWN, VEILED_BECAUSE].map(said)) {
        expect(new Set(table.map((key) => catalogue[key])).size, `${tag} ${table[0]}`).toBe(table.length)
      }
      if (tag !== 'en') expect([...needed].filter((key) => catalogue[key] === (en as Record<string, string>)[key]), tag).toEqual([])
    }
  })

  it('translate every sentence', () => {
    // Only what holds no sentence may be written as in English: names, units, values, single words.
    for (const tag of TAGS.filter((one) => one !== 'en')) {
      const left = Object.entries(en).filter(([key, message]) => message.split(' ').length > 2 && catalogues[tag]?.[key] === message)
      expect(left.map(([key]) => key).filter((key) => !/^figures\..+_value$/.test(key)), tag).toEqual([])
    }
  })

  it('keep hosts and paths in their own order where the text runs from the right', () => {
    for (const [key, message] of Object.entries(ar)) {
      expect(message.replace(/\u2068[^\u2068\u2069]*\u2069/g, ''), key).not.toMatch(/[\u2068\u2069]|\{(host|path|folder|detail)\}/)
    }
  })

  it('ask for the same values', () => {
    for (const [tag, catalogue] of Object.entries(catalogues)) {
      for (const [key, message] of Object.entries(catalogue)) {
        expect(argumentsOf(message), `${tag} ${key}`).toEqual(argumentsOf((en as Record<string, string>)[key] ?? ''))
      }
    }
  })

  it('have every plural form of their language', () => {
    for (const [tag, catalogue] of Object.entries(catalogues)) {
      // Whole numbers alone are counted: a form that only fractions or millions take is not asked for.
      const forms = new Set(Array.from({ length: 1000 }, (_, count) => new Intl.PluralRules(tag).select(count)))
      for (const [key, message] of Object.entries(catalogue)) {
        for (const given of pluralsOf(message)) expect([...forms].filter((form) => !given.includes(form)), `${tag} ${key}`).toEqual([])
      }
    }
  })

  it('hold all that pages say', () => {
    const pages = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.svelte'))
    expect(pages.length).toBeGreaterThan(40)
    for (const name of pages) expect(hardCoded(readFileSync(join(source, name), 'utf8')), name).toEqual([])
    expect(hardCoded('<p>{t("a")} Hello</p>')).toEqual(['Hello'])
    expect(hardCoded('<button aria-label="Close"></button>')).toEqual(['Close'])
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
        expect(message, key).not.toMatch(/[!！¡]/)
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

vi.stubGlobal('document', { documentElement: {} })

describe('a language that is chosen', () => {
  it('says everything, from the right where it is written so', async () => {
    await setLanguage('ar', false)
    expect(document.documentElement).toMatchObject({ lang: 'ar', dir: 'rtl' })
    for (const key of (Object.keys(en) as (keyof typeof en)[]).filter((one) => argumentsOf(en[one]).length === 0)) {
      expect(t(key), key).toBe(ar[key])
    }
    expect(t('friends.unread', { count: 3 })).toContain('غير')
    await setLanguage('en', false)
    expect(document.documentElement).toMatchObject({ lang: 'en', dir: 'ltr' })
  })

  it('does not come after another that was chosen later', async () => {
    const late = setLanguage('ja', false)
    await setLanguage('en', false)
    await late
    expect(document.documentElement.lang).toBe('en')
  })

  it('writes dates as the platform does', () => {
    expect(localeOf('en', ['de-DE', 'en-GB'])).toBe('en-GB')
    expect(localeOf('pt', ['de-DE'])).toBe('pt')
  })
})

describe('words for what the shell says', () => {

  it('has a full sentence for every refusal', async () => {
    const codes = members('RefusalCode') as RefusalCode[]
    expect(codes.length).toBeGreaterThan(10)
    for (const { tag } of languages) {
      await setLanguage(tag, false)
      const texts = codes.map((refusal) => noticeWords({ notice: 'refused', code: refusal, message: 'Because.' }).text)
      expect(new Set(texts).size).toBe(codes.length)
      for (const text of texts) expect(text).toMatch(/[.。]$/)
    }
    await setLanguage('en', false)
    expect(noticeWords({ notice: 'refused', code: 'newer' as RefusalCode, message: 'No seats.' }).text).toContain('No seats.')
  })

  it('has a full sentence for every notice, with what it speaks of', () => {
    const names = [...readFileSync(join(source, 'bindings/Notice.ts'), 'utf8').matchAll(/"notice": "([a-z_]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    expect(names.length).toBeGreaterThan(10)
    for (const notice of names.filter((name) => name !== 'refused')) {
      const given = { notice, why: 'linux_group', other: 'OTHER', host: 'HOST', url: 'URL', name: 'NAME', detail: 'DETAIL', path: 'PATH', folder: 'FOLDER', decided_by: 0, held_until: null } as unknown as Notice
      const { text } = noticeWords(given)
      expect(text, notice).toMatch(/([.]|URL|PATH)$/)
      if (notice.startsWith('camera_') && notice !== 'camera_failed') expect(text).toContain('NAME')
    }
  })

  it('says in each language what helps on each system against a device that is kept back', async () => {
    const reasons = members('Forbidden') as Forbidden[]
    expect(reasons).toEqual(['windows_privacy', 'macos_privacy', 'linux_group', 'linux_policy'])
    // What a person has to look for, in whatever language.
    const names: Record<Forbidden, { camera: RegExp; microphone: RegExp }> = {
      windows_privacy: { camera: /Windows/, microphone: /Windows/ },
      macos_privacy: { camera: /macOS/, microphone: /macOS/ },
      linux_group: { camera: /sudo usermod -aG video \$USER/, microphone: /sudo usermod -aG audio \$USER/ },
      linux_policy: { camera: /Flatpak/, microphone: /Flatpak/ },
    }
    for (const { tag } of languages) {
      await setLanguage(tag, false)
      const all: string[] = []
      for (const why of reasons) {
        const camera = noticeWords({ notice: 'camera_denied', name: 'NAME', why }).text
        const microphone = noticeWords({ notice: 'microphone_denied', why }).text
        expect(camera, `${tag} ${why}`).toMatch(names[why].camera)
        expect(camera, `${tag} ${why}`).toContain('NAME')
        expect(microphone, `${tag} ${why}`).toMatch(names[why].microphone)
        all.push(camera, microphone)
      }
      for (const why of ['linux_group', 'linux_policy'] as const) all.push(noticeWords({ notice: 'speaker_denied', why }).text)
      expect(new Set(all).size, tag).toBe(10)
      for (const text of all) expect(text, tag).toMatch(/[.。]$/)
    }
    await setLanguage('en', false)
  })

  it('says in each language what became of a device', async () => {
    for (const { tag } of languages) {
      await setLanguage(tag, false)
      const said = (['camera', 'microphone', 'speaker'] as const).flatMap((kind) => [
        noticeWords({ notice: `${kind}_gone`, name: 'NAME' }).text,
        noticeWords({ notice: `${kind}_instead`, name: 'NAME', other: 'OTHER' }).text,
      ])
      expect(new Set(said).size, tag).toBe(6)
      for (const [at, text] of said.entries()) expect(text, tag).toMatch(at % 2 ? /NAME.*OTHER|OTHER.*NAME/s : /NAME/)
      expect(noticeWords({ notice: 'device_back', name: 'NAME' }).text).toContain('NAME')
    }
    await setLanguage('en', false)
  })

  it('has a full sentence for whatever is wrong with a server', async () => {
    const text = readFileSync(join(source, 'bindings/ServerProblem.ts'), 'utf8')
    const names = [...text.matchAll(/"problem": "([a-z_]+)"/g)].map((match) => match[1] ?? '')
    const given = names.flatMap((problem) =>
      problem === 'untrusted' ? members('Untrusted').map((because) => ({ problem, host: 'HOST', because })) : [{ problem, host: 'HOST' }],
    ) as ServerProblem[]
    expect(given.length).toBeGreaterThan(12)
    for (const tag of TAGS) {
      await setLanguage(tag, false)
      const texts = given.map(serverWords)
      expect(new Set(texts).size).toBe(given.length)
      for (const [index, words] of texts.entries()) {
        expect(words).toMatch(/[.。]$/)
        if (!['no_address', 'not_safe'].includes(given[index]?.problem ?? '')) expect(words).toContain('HOST')
      }
    }
    await setLanguage('en', false)
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
    expect(pickLanguage(['it-IT', 'zh-Hant-TW', 'en'])).toBe('zh')
    expect(pickLanguage(['fr-CA', 'en'])).toBe('fr')
    expect(pickLanguage(['EN-gb'])).toBe('en')
    expect(pickLanguage([])).toBe('en')
  })
})
