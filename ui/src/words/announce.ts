// What a screen reader is told of something that may flicker: only what stays, and not the same again at once.

/** So long a sentence must stand before it is said. */
const SETTLES_MS = 500
/** The same sentence is not said again within this time, however often it came and went. */
const AGAIN_MS = 20_000

export interface Outside {
  now(): number
  later(callback: () => void, ms: number): number
  cancel(timer: number): void
  say(sentence: string): void
}

export class Announcer {
  #timer: number | null = null
  #wanted: string | null = null
  readonly #said = new Map<string, number>()

  constructor(private readonly outside: Outside) {}

  /** The sentence that holds now; null for none. */
  hear(sentence: string | null): void {
    if (sentence === this.#wanted) return
    this.stop()
    this.#wanted = sentence
    if (sentence === null) return
    this.#timer = this.outside.later(() => {
      this.#timer = null
      const now = this.outside.now()
      const before = this.#said.get(sentence)
      if (before !== undefined && now - before < AGAIN_MS) return
      this.#said.set(sentence, now)
      this.outside.say(sentence)
    }, SETTLES_MS)
  }

  stop(): void {
    if (this.#timer !== null) this.outside.cancel(this.#timer)
    this.#timer = null
  }
}
