// Text in the user's language: the catalogues of assets/locales, the choice between them, lists, names of languages, dates and
// numbers. All eight languages are whole. English is always there; the others are fetched when they are chosen.
import en from '@locales/en.json'
import { clock as figures, format, type Values } from './format'

export type Key = keyof typeof en
export const TAGS = ['en', 'zh', 'es', 'fr', 'de', 'pt', 'ja', 'ar'] as const
export type Language = (typeof TAGS)[number]
type Catalogue = Readonly<Record<Key, string>>

export const languages: readonly { tag: Language; name: string }[] = [
  { tag: 'en', name: 'English' },
  { tag: 'zh', name: '中文' },
  { tag: 'es', name: 'Español' },
  { tag: 'fr', name: 'Français' },
  { tag: 'de', name: 'Deutsch' },
  { tag: 'pt', name: 'Português' },
  { tag: 'ja', name: '日本語' },
  { tag: 'ar', name: 'العربية' },
]
/** Texts in the order of the English keys. */
const FETCHED: Partial<Record<Language, () => Promise<{ default: readonly string[] }>>> = {
  zh: () => import('@locales/zh.json?texts'),
  es: () => import('@locales/es.json?texts'),
  fr: () => import('@locales/fr.json?texts'),
  de: () => import('@locales/de.json?texts'),
  pt: () => import('@locales/pt.json?texts'),
  ja: () => import('@locales/ja.json?texts'),
  ar: () => import('@locales/ar.json?texts'),
}
const RIGHT_TO_LEFT: readonly Language[] = ['ar']
/** Sentences that follow each other without a space between them. */
const CLOSE: readonly Language[] = ['zh', 'ja']

const STORED = 'visavis.language'

/** First of the wanted tags that there is a catalogue for, by primary tag. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0]
    const known = TAGS.find((one) => one === primary)
    if (known) return known
  }
  return 'en'
}

/** How the platform writes dates and numbers: its own variant of the language, British English for one. */
export function localeOf(language: Language, platform: readonly string[]): string {
  return platform.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language
}

const catalogues: Partial<Record<Language, Partial<Catalogue>>> = { en }
const chosen = $state<{ language: Language; locale: string }>({ language: 'en', locale: 'en' })

const platform = (): readonly string[] => (typeof navigator === 'undefined' ? [] : [...(navigator.languages ?? []), navigator.language])

export async function startWords(): Promise<void> {
  const stored = localStorage.getItem(STORED)
  await setLanguage(pickLanguage(stored ? [stored] : platform()), false)
}

/** The language that was asked for last; one that comes late does not take its place. */
let wanted: Language = 'en'

export async function setLanguage(language: Language, remember = true): Promise<void> {
  if (remember) localStorage.setItem(STORED, language)
  wanted = language
  const fetch = FETCHED[language]
  if (fetch && !catalogues[language]) {
    const texts = await fetch().then((found) => found.default, () => null)
    if (texts) catalogues[language] = Object.fromEntries(Object.keys(en).map((key, place) => [key, texts[place]]))
    if (wanted !== language) return
    // A file of the app itself: where it is missing, the page is English, and is said and set as that.
    if (!texts) return setLanguage('en', false)
  }
  chosen.language = language
  chosen.locale = localeOf(language, platform())
  document.documentElement.lang = language
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? 'rtl' : 'ltr'
}

export function language(): Language {
  return chosen.language
}

export function t(key: Key, values?: Values): string {
  const message = catalogues[chosen.language]?.[key]
  return message === undefined ? format(en[key], 'en', values) : format(message, chosen.locale, values)
}

export function list(items: readonly string[]): string {
  return new Intl.ListFormat(chosen.language, { type: 'conjunction' }).format(items)
}

/** Sentences one after the other; Chinese and Japanese set no space between them. */
export function sentences(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(CLOSE.includes(chosen.language) ? '' : ' ')
}

/** Name of a language by its BCP 47 tag; the tag itself where it has none or is malformed. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([chosen.language], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}

/** Of a hundred: `40 %`, `40%`, `٪40`. */
export function percent(value: number): string {
  return new Intl.NumberFormat(chosen.locale, { style: 'percent' }).format(value / 100)
}

export function dateOf(unixSeconds: number): string {
  return new Intl.DateTimeFormat(chosen.locale, { dateStyle: 'long' }).format(unixSeconds * 1000)
}

/** The day and the time of day. */
export function momentOf(unixSeconds: number): string {
  return new Intl.DateTimeFormat(chosen.locale, { dateStyle: 'medium', timeStyle: 'short' }).format(unixSeconds * 1000)
}

/** `04:05` or `1:04:05`, in the digits of the language. */
export function clock(seconds: number): string {
  return figures(seconds, chosen.locale)
}
