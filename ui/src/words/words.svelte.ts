// Text in the user's language: the catalogues of assets/locales, the choice between them, lists and names of languages.
import en from '@locales/en.json'
import zh from '@locales/zh.json'
import { format, type Values } from './format'

export type Key = keyof typeof en
export type Language = 'en' | 'zh'

const catalogues: Record<Language, Record<Key, string>> = { en, zh }
export const languages: readonly { tag: Language; name: string }[] = [
  { tag: 'en', name: 'English' },
  { tag: 'zh', name: '中文' },
]

const STORED = 'visavis.language'

/** First of the wanted tags that there is a catalogue for, by primary tag. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0]
    if (primary === 'en' || primary === 'zh') return primary
  }
  return 'en'
}

const chosen = $state<{ language: Language }>({ language: 'en' })

export function startWords(): void {
  const stored = localStorage.getItem(STORED)
  setLanguage(pickLanguage(stored ? [stored] : [...navigator.languages, navigator.language]), false)
}

export function setLanguage(language: Language, remember = true): void {
  chosen.language = language
  document.documentElement.lang = language
  if (remember) localStorage.setItem(STORED, language)
}

export function language(): Language {
  return chosen.language
}

export function t(key: Key, values?: Values): string {
  return format(catalogues[chosen.language][key], chosen.language, values)
}

export function list(items: readonly string[]): string {
  return new Intl.ListFormat(chosen.language, { type: 'conjunction' }).format(items)
}

/** Sentences one after the other; Chinese sets no space between them. */
export function sentences(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(chosen.language === 'zh' ? '' : ' ')
}

/** Name of a language by its BCP 47 tag; the tag itself where it has none or is malformed. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([chosen.language], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}

export function dateOf(unixSeconds: number): string {
  return new Intl.DateTimeFormat(chosen.language, { dateStyle: 'long' }).format(unixSeconds * 1000)
}

/** The day and the time of day. */
export function momentOf(unixSeconds: number): string {
  return new Intl.DateTimeFormat(chosen.language, { dateStyle: 'medium', timeStyle: 'short' }).format(unixSeconds * 1000)
}
