// The last things that the shell has said. Nothing else decides what is shown.
import type { Event } from '../bindings/Event'
import type { View } from '../bindings/View'
import { teller } from '../comfort/desktop.svelte'
import { PaperModel } from '../paper/model'
import { subscribe } from './shell'

class Heard {
  view = $state.raw<View | null>(null)
  /** Own microphone, 0..=1. */
  microphoneLevel = $state(0)
  /** How many levels have been heard: the same one again is one more. */
  levels = $state(0)
  /** The paper of the call; at parting it still holds what was drawn. */
  readonly paper = new PaperModel()

  readonly #tell = teller()

  hear(event: Event): void {
    switch (event.event) {
      case 'view':
        this.view = event.view
        this.#tell(event.view)
        break
      case 'microphone_level':
        this.microphoneLevel = event.level
        this.levels += 1
        break
      case 'open_browser':
        // The shell opens it.
        break
      default:
        this.paper.apply(event, performance.now())
    }
  }
}

export const heard = new Heard()

export function listen(): void {
  subscribe((event) => heard.hear(event)).catch(() => undefined)
}
