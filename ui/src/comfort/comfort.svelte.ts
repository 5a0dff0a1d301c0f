// What makes this window comfortable for whoever sits before it. Remembered by this window alone; nothing of it is told to
// the shell or to anybody else.

export interface Comfort {
  /** The own picture as a mirror shows it. What the other sees is never mirrored. */
  mirror: boolean
  /** From the reveal on; before it both tiles are equal. */
  hideOwn: boolean
  /** No motion, whatever the system says. */
  calm: boolean
  /** Held down to speak while muted: one key, as `KeyboardEvent.key` has it, in lower case. */
  talkKey: string
}

const STORED = 'visavis.comfort'
const GIVEN: Comfort = { mirror: true, hideOwn: false, calm: false, talkKey: 't' }

/** What was remembered, where it makes sense. */
export function parseComfort(text: string | null): Comfort {
  let found: unknown = null
  try {
    found = JSON.parse(text ?? 'null')
  } catch {
    // As if nothing had been remembered.
  }
  if (typeof found !== 'object' || found === null) return { ...GIVEN }
  const { mirror, hideOwn, calm, talkKey } = found as Partial<Record<keyof Comfort, unknown>>
  const flag = (value: unknown, otherwise: boolean): boolean => (typeof value === 'boolean' ? value : otherwise)
  return {
    mirror: flag(mirror, GIVEN.mirror),
    hideOwn: flag(hideOwn, GIVEN.hideOwn),
    calm: flag(calm, GIVEN.calm),
    talkKey: typeof talkKey === 'string' && mayTalk(talkKey) ? talkKey : GIVEN.talkKey,
  }
}

/** Keys of the call and of the paper, which cannot be the one to speak with. */
const TAKEN = 'mvrfnywhpelbogid1234567890-=[]?'

/** One letter, or a key with a name that does nothing else: not Tab, not Enter, not the space bar, which presses buttons. */
export function mayTalk(key: string): boolean {
  if (/^f([1-9]|1[0-9])$/.test(key)) return key !== 'f11'
  return [...key].length === 1 && key.trim() !== '' && !TAKEN.includes(key)
}

const chosen = $state<Comfort>({ ...GIVEN })
export const comfort: Readonly<Comfort> = chosen

export function setComfort(change: Partial<Comfort>): void {
  Object.assign(chosen, change)
  localStorage.setItem(STORED, JSON.stringify(chosen))
  show()
}

export function startComfort(): void {
  Object.assign(chosen, parseComfort(localStorage.getItem(STORED)))
  show()
}

function show(): void {
  document.documentElement.toggleAttribute('data-calm', chosen.calm)
}
