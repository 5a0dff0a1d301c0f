// Speaking while muted: a key that is held down, and the notice for those who have forgotten that they are.

/** A microphone is spoken into when its level has been above this for so long. Rooms are below, voices at a desk above. */
const SPEAKS_ABOVE = 0.12
const SPEAKS_MS = 400
/** So long the notice stays after the last word. */
const STAYS_MS = 4000

/** Told every level of the microphone; knows whether somebody speaks into it. */
export class Speaking {
  #since: number | null = null
  #until = -Infinity

  /** Whether the notice is due, at this time in milliseconds. */
  hear(level: number, muted: boolean, now: number): boolean {
    if (!muted) {
      this.#since = null
      this.#until = -Infinity
      return false
    }
    if (level < SPEAKS_ABOVE) this.#since = null
    else this.#since ??= now
    if (this.#since !== null && now - this.#since >= SPEAKS_MS) this.#until = now + STAYS_MS
    return now < this.#until
  }
}

/** The key that is held: opens the microphone only where it was shut, and shuts it again whatever ends the hold. */
export class Hold {
  #held = false

  constructor(private readonly mute: (on: boolean) => void) {}

  down(muted: boolean): void {
    if (!muted || this.#held) return
    this.#held = true
    this.mute(false)
  }

  up(): void {
    if (!this.#held) return
    this.#held = false
    this.mute(true)
  }
}
