// Small decisions about words in a call, apart from the page so that they can be tried alone.
import type { CallView } from '../bindings/CallView'
import type { Connection } from '../bindings/Connection'
import type { Quality } from '../bindings/Quality'
import { OWN_LOWERED, OWN_WARNINGS, PEER_LOWERED, PEER_WARNINGS, VEILED_BECAUSE } from '../words/tables'
import type { Key } from '../words/words.svelte'

/** How it stands with the connection, and while it stands, how good it is. */
export function quality(call: Pick<CallView, 'connection' | 'statistics'>): Connection | Quality | 'lowered' {
  const figures = call.statistics
  if (call.connection !== 'connected' || !figures) return call.connection
  return lowered(call).length > 0 ? 'lowered' : figures.quality
}

/** What is lowered and why, theirs first. */
export function lowered(call: Pick<CallView, 'connection' | 'statistics'>): Key[] {
  const figures = call.statistics
  if (call.connection !== 'connected' || !figures) return []
  return [PEER_LOWERED[figures.peer_lowered], OWN_LOWERED[figures.own_lowered]].filter((key) => key !== null)
}

export function peerWarning(call: Pick<CallView, 'connection' | 'warn_peer' | 'peer_looks'>): Key | null {
  // While the connection is being made again, its own sentence says why nothing arrives.
  return call.warn_peer && call.connection === 'connected' ? PEER_WARNINGS[call.peer_looks] : null
}

export function ownWarning(call: Pick<CallView, 'connection' | 'own_looks_to_peer' | 'own'>): Key | null {
  if (call.connection !== 'connected') return null
  return OWN_WARNINGS[call.own.on ? call.own_looks_to_peer : 'off']
}

/** The sentence that says how things stand between the two pictures. */
export function veilWords(call: Pick<CallView, 'reveal' | 'veil_reason' | 'they_see'>): Key {
  if (call.reveal === 'you_said_yes') return 'veil.not_revealed.asked'
  if (call.reveal === 'not_asked') return 'veil.not_revealed.ask'
  return call.veil_reason === null ? 'veil.open' : VEILED_BECAUSE[call.veil_reason]
}

/** How long the second Esc may take. */
export const ESCAPE_MS = 3000
