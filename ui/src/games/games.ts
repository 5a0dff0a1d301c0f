// Where the page of the call meets the games: what the shell says of them, and what it is told.
import type { CallView } from '../bindings/CallView'
import type { Command } from '../bindings/Command'
import type { Action, Games, Play } from './view'

/** null: this shell has no games. */
export function gamesOf(call: CallView | (CallView & Games)): Games | null {
  return 'game' in call ? { game: call.game, wish: call.wish, unfair: call.unfair } : null
}

export function playCommand(action: Action): Command {
  return { do: 'play', action } as unknown as Command
}

export function wishCommand(play: Play | null): Command {
  return { do: 'wish', play } as unknown as Command
}
