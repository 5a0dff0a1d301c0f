// A small part of ICU MessageFormat: `{name}` and `{count, plural, one {# minute} other {# minutes}}`.
// Numbers are written in the digits and separators of the language.

export type Values = Readonly<Record<string, string | number>>

type Part =
  | { kind: 'text'; text: string }
  | { kind: 'value'; name: string }
  | { kind: 'plural'; name: string; forms: Map<string, Part[]> }

export class MessageError extends Error {}

/** `#` stands for the number inside a plural form alone. */
function parse(source: string, start: number, inForm: string | null): { parts: Part[]; end: number } {
  const parts: Part[] = []
  let text = ''
  let at = start
  const flush = (): void => {
    if (text) parts.push({ kind: 'text', text })
    text = ''
  }
  while (at < source.length) {
    const char = source[at]
    if (char === '}') {
      if (inForm === null) throw new MessageError(`unexpected } at ${at}`)
      flush()
      return { parts, end: at + 1 }
    }
    if (char === '#' && inForm !== null) {
      flush()
      parts.push({ kind: 'value', name: inForm })
      at += 1
    } else if (char === '{') {
      flush()
      const argument = parseArgument(source, at + 1)
      parts.push(argument.part)
      at = argument.end
    } else {
      text += char
      at += 1
    }
  }
  if (inForm !== null) throw new MessageError('a plural form is not closed')
  flush()
  return { parts, end: at }
}

function parseArgument(source: string, start: number): { part: Part; end: number } {
  const head = /^\s*([a-z_]+)\s*(\}|,\s*plural\s*,)/.exec(source.slice(start))
  if (!head?.[1]) throw new MessageError(`not an argument at ${start}`)
  const name = head[1]
  let at = start + head[0].length
  if (head[2] === '}') return { part: { kind: 'value', name }, end: at }
  const forms = new Map<string, Part[]>()
  for (;;) {
    const rest = source.slice(at)
    const close = /^\s*\}/.exec(rest)
    if (close) {
      if (!forms.has('other')) throw new MessageError(`the plural of ${name} has no "other"`)
      return { part: { kind: 'plural', name, forms }, end: at + close[0].length }
    }
    const form = /^\s*(zero|one|two|few|many|other)\s*\{/.exec(rest)
    if (!form?.[1]) throw new MessageError(`not a plural form at ${at}`)
    const body = parse(source, at + form[0].length, name)
    forms.set(form[1], body.parts)
    at = body.end
  }
}

function write(parts: Part[], language: string, values: Values): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text
      const value = values[part.name]
      if (value === undefined) throw new MessageError(`no value for ${part.name}`)
      if (part.kind === 'value') return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value
      const form = new Intl.PluralRules(language).select(Number(value))
      return write(part.forms.get(form) ?? part.forms.get('other') ?? [], language, values)
    })
    .join('')
}

const parsed = new Map<string, Part[]>()

/** Throws `MessageError` for a malformed message or a missing value: a fault of the catalogue, found by its test. */
export function format(message: string, language: string, values: Values = {}): string {
  let parts = parsed.get(message)
  if (!parts) {
    parts = parse(message, 0, null).parts
    parsed.set(message, parts)
  }
  return write(parts, language, values)
}

/** Names of the values that a message asks for, sorted. */
export function argumentsOf(message: string): string[] {
  const names = new Set<string>()
  const walk = (parts: Part[]): void => {
    for (const part of parts) {
      if (part.kind !== 'text') names.add(part.name)
      if (part.kind === 'plural') part.forms.forEach(walk)
    }
  }
  walk(parse(message, 0, null).parts)
  return [...names].sort()
}

/** The plural forms that a message gives, one list for each of its plurals. */
export function pluralsOf(message: string): string[][] {
  const found: string[][] = []
  const walk = (parts: Part[]): void => {
    for (const part of parts) {
      if (part.kind !== 'plural') continue
      found.push([...part.forms.keys()])
      part.forms.forEach(walk)
    }
  }
  walk(parse(message, 0, null).parts)
  return found
}

/** `04:05` or `1:04:05`. */
export function clock(seconds: number, locale = 'en'): string {
  const whole = Math.max(0, Math.floor(seconds))
  const digits = (value: number, least: number): string =>
    new Intl.NumberFormat(locale, { minimumIntegerDigits: least, useGrouping: false }).format(value)
  const minutes = Math.floor(whole / 60)
  const rest = digits(whole % 60, 2)
  return minutes < 60 ? `${digits(minutes, 2)}:${rest}` : `${digits(Math.floor(minutes / 60), 1)}:${digits(minutes % 60, 2)}:${rest}`
}
