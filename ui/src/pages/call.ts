// Small decisions about words in a call, apart from the page so that they can be tried alone.
import type { CallView } from '../bindings/CallView'
import type { Connection } from '../bindings/Connection'
import type { Quality } from '../bindings/Quality'
import type { Seen } from '../bindings/Seen'
import { LOOKS, OWN_LOWERED, OWN_WARNINGS, PEER_LOWERED, PEER_WARNINGS, VEILED_BECAUSE } from '../words/tables'
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

/** What lies over a picture: a sign, sentences, and at most two things to do. */
export interface Over {
  icon: Seen | 'veiled' | 'shutter' | 'question' | 'connection'
  words: Key[]
  actions: ('unveil' | 'stay_veiled' | 'leave' | 'check_lens')[]
}

type Sight = Pick<
  CallView,
  'connection' | 'warn_peer' | 'peer_looks' | 'own_looks_to_peer' | 'own' | 'reveal' | 'veil_reason' | 'asks_to_unveil'
>

export function overPeer(call: Sight): Over | null {
  // While the connection is being made again, its own sentence says why nothing arrives.
  if (call.connection !== 'connected') return null
  const warning = call.warn_peer ? PEER_WARNINGS[call.peer_looks] : null
  if (warning) {
    const until = call.veil_reason === 'waits_for_you' ? 'warn.peer.asks' : 'warn.peer.until'
    // Before both have said yes nothing of one's own opens when they are to be seen.
    const open = call.reveal === 'open'
    return {
      icon: call.peer_looks,
      words: open ? [warning, until] : [warning],
      actions: open ? ['stay_veiled', 'leave'] : ['leave'],
    }
  }
  if (call.veil_reason !== 'peer_veiled') return null
  return { icon: 'veiled', words: ['warn.peer.stays_veiled'], actions: ['stay_veiled', 'leave'] }
}

export function overOwn(call: Sight): Over | null {
  if (call.connection !== 'connected') return null
  const until: Key[] = call.reveal === 'open' ? ['warn.own.until'] : []
  if (!call.own.on) return { icon: 'off', words: ['warn.own.off', ...until], actions: [] }
  if (call.own.shutter_closed) return { icon: 'shutter', words: ['looks.shutter', ...until], actions: [] }
  const warning = OWN_WARNINGS[call.own_looks_to_peer]
  if (warning) return { icon: call.own_looks_to_peer, words: [warning, ...until], actions: ['check_lens'] }
  // Before they have seen anything, the own check is all there is.
  const own = call.own_looks_to_peer === 'unknown' && OWN_WARNINGS[call.own.looks] !== null
  if (own) return { icon: call.own.looks, words: [LOOKS[call.own.looks]], actions: ['check_lens'] }
  return call.asks_to_unveil ? { icon: 'question', words: ['ask.unveil'], actions: ['unveil', 'stay_veiled'] } : null
}

/** The sentence that says how things stand between the two pictures. */
export function veilWords(call: Pick<CallView, 'reveal' | 'veil_reason' | 'they_see'>): Key {
  if (call.reveal === 'you_said_yes') return 'veil.not_revealed.asked'
  if (call.reveal === 'not_asked') return 'veil.not_revealed.ask'
  return call.veil_reason === null ? 'veil.open' : VEILED_BECAUSE[call.veil_reason]
}

/** How long the second Esc may take. */
export const ESCAPE_MS = 3000
