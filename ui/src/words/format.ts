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

/** `04:05` or `1:04:05`. */
export function clock(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const whole = Math.max(0, Math.floor(seconds))
  const minutes = Math.floor(whole / 60)
  const rest = two(whole % 60)
  return minutes < 60 ? `${two(minutes)}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`
}
