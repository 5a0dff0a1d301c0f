// Where the page of the call meets the games: what the shell is told of them.
import type { Action } from '../bindings/Action'
import type { Command } from '../bindings/Command'
import type { Play } from '../bindings/Play'

export function playCommand(action: Action): Command {
  return { do: 'play', action }
}

export function wishCommand(play: Play | null): Command {
  return { do: 'wish', play }
}
