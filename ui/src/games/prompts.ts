// Something to draw while one waits: the shorter lists of the games' words, in the languages that the pages speak.
import en from '@words/en.txt?raw'
import zh from '@words/zh.txt?raw'
import type { Language } from '../words/words.svelte'

/** Where there is no list of the page's own language, English words. */
const LISTS: Partial<Record<Language, string>> = { en, zh }
/** Shares no factor with the length of a list, so that every word has its turn, and neighbours do not follow each other. */
const STRIDE = 37

/** The easy and the middling words, each under its first name, stirred but always alike. */
export function prompts(language: Language): string[] {
  const text = LISTS[language] ?? en
  const words = text
    .slice(0, text.indexOf('# hard'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('|')[0] ?? line)
  return words.map((_, index) => words[(index * STRIDE) % words.length] ?? '')
}
