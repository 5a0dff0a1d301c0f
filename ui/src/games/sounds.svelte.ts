// Three short wooden tones, made in the page: a game begins, something is right, a round is over. Off when the user says so.

export type Tone = 'begins' | 'right' | 'over'

/** Pitches in hertz, one after the other. */
const NOTES: Record<Tone, readonly number[]> = { begins: [392, 523.25], right: [523.25, 659.25, 783.99], over: [523.25, 392] }
const APART_S = 0.11
const RINGS_S = 0.28
const STORED = 'visavis.sounds'

class Sounds {
  #on = $state(true)
  #context: AudioContext | null = null

  get on(): boolean {
    return this.#on
  }

  set on(on: boolean) {
    this.#on = on
    localStorage.setItem(STORED, on ? 'on' : 'off')
  }

  start(): void {
    this.#on = localStorage.getItem(STORED) !== 'off'
  }

  play(tone: Tone): void {
    if (!this.#on || typeof AudioContext === 'undefined') return
    this.#context ??= new AudioContext()
    const context = this.#context
    NOTES[tone].forEach((pitch, index) => knock(context, pitch, context.currentTime + index * APART_S))
  }
}

/** A struck bar of wood: a tone and, soon gone, its fourth harmonic. */
function knock(context: AudioContext, pitch: number, at: number): void {
  for (const [times, loud, rings] of [[1, 0.12, RINGS_S], [4, 0.05, RINGS_S / 4]] as const) {
    const bar = new OscillatorNode(context, { type: 'sine', frequency: pitch * times })
    const fade = new GainNode(context, { gain: 0 })
    fade.gain.setValueAtTime(0, at)
    fade.gain.linearRampToValueAtTime(loud, at + 0.004)
    fade.gain.exponentialRampToValueAtTime(0.0005, at + rings)
    bar.connect(fade).connect(context.destination)
    bar.start(at)
    bar.stop(at + rings)
  }
}

export const sounds = new Sounds()
