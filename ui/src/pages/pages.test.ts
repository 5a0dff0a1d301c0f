import { render } from 'svelte/server'
import { beforeEach, describe, expect, it } from 'vitest'
import App from '../App.svelte'
import type { CallView } from '../bindings/CallView'
import type { Page } from '../bindings/Page'
import type { Seen } from '../bindings/Seen'
import type { View } from '../bindings/View'
import { heard } from '../shell/state.svelte'
import { lowered, overOwn, overPeer, quality, veilWords } from './call'
import type { PageName } from './pages'

const CARE: View['care'] = { notices: [], sending_report: false, offers_pictures: true, evidence_days: 30, deletion: { step: 'none' } }
const card = { city: null, age: null, sign: null, languages: [], interests: [], games: [], picture: false }
const fact = <T>(value: T): { value: T; shared: boolean } => ({ value, shared: false })
const own = { on: true, looks: 'clear' as const, shutter_closed: false }
const CHOICES = { echo_cancellation: true, noise_suppression: true, gain_control: true, direct_calls: false, volume: 100 }
const call: CallView = {
  connection: 'connected',
  path: 'relayed',
  duration_s: 61,
  card,
  you_see: 'veiled',
  they_see: 'clear',
  peer_looks: 'clear',
  warn_peer: false,
  own_looks_to_peer: 'clear',
  own,
  reveal: 'not_asked',
  veil_reason: 'not_revealed',
  asks_to_unveil: false,
  muted: false,
  peer_muted: false,
  can_undo: false,
  can_redo: false,
  statistics: null,
  ignored: 0,
  pictures: [1, 12, 40, 63],
  game: null,
  wish: null,
  unfair: null,
}
const pages: { [Name in PageName]: Extract<Page, { page: Name }> } = {
  starting: { page: 'starting' },
  server: { page: 'server', tried: '', checking: false, problem: null, suggested: null, can_close: false },
  welcome: { page: 'welcome' },
  signing_in: { page: 'signing_in' },
  profile: {
    page: 'profile',
    profile: { city: fact(''), languages: fact([]), interests: fact([]), games: fact([]), age: fact(null), sign: fact(null), picture: fact(false) },
    card,
    picture: null,
    saving: false,
  },
  mirror: { page: 'mirror', own },
  waiting: { page: 'waiting', waited_s: 0, looking_for: [], relaxed: [], estimate_s: null, closed: null, widening: null },
  match: { page: 'match', card, picture: null, reasons: [], answer_within_s: 9, answered: false },
  call: { page: 'call', ...call },
  parting: { page: 'parting', reason: 'left', follow: { state: 'asked' }, closes_in_s: 9 },
  friends: { page: 'friends', follows: [], open: null },
  history: { page: 'history', sessions: null },
}
const devices: View['devices'] = {
  cameras: [],
  microphones: [],
  speakers: [],
  camera: '',
  microphone: '',
  speaker: '',
  silent_microphone: false,
  silent_speaker: false,
}

function shown(page: Page, notice: View['notice'] = null): string {
  heard.hear({ event: 'view', view: { page, notice, username: null, unread: 0, ring: null, devices, ask_before_unveiling: false, choices: CHOICES, care: CARE, server: { address: 'https://visavis.example', fixed: false } } })
  return render(App).body
}

beforeEach(() => {
  heard.view = null
})

describe('App', () => {
  it('shows the page that the shell names, and no other', () => {
    for (const page of Object.values(pages)) {
      expect([...shown(page).matchAll(/data-page="([a-z_]+)"/g)].map((match) => match[1])).toEqual([page.page])
    }
  })

  it('shows the starting page before the shell has spoken', () => {
    expect(render(App).body).toContain('data-page="starting"')
  })

  it('has one main action on a page at most', () => {
    for (const page of Object.values(pages)) {
      expect([...shown(page).matchAll(/class="button accent/g)].length, page.page).toBeLessThanOrEqual(1)
    }
  })

  it('lays a notice over any page', () => {
    for (const page of Object.values(pages)) {
      expect(shown(page, { notice: 'server_lost' }), page.page).toContain('data-testid="notice"')
    }
  })

  it('says what each side sees in the same words', () => {
    const html = shown(pages.call)
    expect(html).toMatch(/data-testid="you-see"[^>]*>You see: veiled</)
    expect(html).toMatch(/data-testid="they-see"[^>]*>They see: clear</)
  })

  it('says who learns whose address, where it is not hidden', () => {
    expect(shown(pages.call)).not.toContain('data-testid="path"')
    const direct = shown({ ...pages.call, path: 'direct' })
    expect(direct).toContain('data-testid="direct"')
    expect(direct).toMatch(/data-testid="path"[^>]*>You are connected directly[^<]*network address/)
    const told = shown({ ...pages.call, path: 'may_be_direct' })
    expect(told).not.toContain('data-testid="direct"')
    expect(told).toMatch(/data-testid="path"[^>]*>[^<]*told each other their network addresses/)
  })

  it('asks for a reveal or for a veil, never both', () => {
    expect(shown(pages.call)).not.toContain('data-testid="stay-veiled"')
    for (const reveal of ['you_said_yes', 'open'] as const) {
      const html = shown({ ...pages.call, reveal })
      expect(html).toContain('data-testid="stay-veiled"')
      expect(html).not.toContain('data-testid="reveal"')
    }
  })

  it('writes what a peer wrote as text', () => {
    const html = shown({ ...pages.match, card: { ...card, city: '<img src=x>' } })
    expect(html).not.toContain('<img')
  })
})

describe('words of a call', () => {
  const states: Seen[] = ['unknown', 'dark', 'covered', 'partial', 'frozen', 'nobody_in_view', 'off', 'no_signal']

  it('warns of the peer only when the session says so, and not over a lost connection', () => {
    for (const peer_looks of states) {
      expect(overPeer({ ...call, peer_looks })).toBeNull()
      const words = overPeer({ ...call, peer_looks, warn_peer: true })
      expect(words).toEqual({ icon: peer_looks, words: [`warn.peer.${peer_looks}`], actions: ['leave'] })
      expect(overPeer({ ...call, peer_looks, warn_peer: true, connection: 'reconnecting' })).toBeNull()
      const open = overPeer({ ...call, reveal: 'open', peer_looks, warn_peer: true })
      expect(open?.words).toEqual([`warn.peer.${peer_looks}`, 'warn.peer.until'])
      expect(open?.actions).toEqual(['stay_veiled', 'leave'])
    }
    const asked = { ...call, reveal: 'open', peer_looks: 'covered', warn_peer: true, veil_reason: 'waits_for_you' } as const
    expect(overPeer(asked)?.words).toContain('warn.peer.asks')
    expect(overPeer({ ...call, reveal: 'open', veil_reason: 'peer_veiled' })?.words).toEqual(['warn.peer.stays_veiled'])
  })

  it('tells kindly how one looks to the peer', () => {
    expect(overOwn(call)).toBeNull()
    expect(overOwn({ ...call, own_looks_to_peer: 'unknown' })).toBeNull()
    for (const own_looks_to_peer of states.filter((state) => state !== 'unknown')) {
      const over = overOwn({ ...call, reveal: 'open', own_looks_to_peer })
      expect(over).toEqual({
        icon: own_looks_to_peer,
        words: [`warn.own.${own_looks_to_peer}`, 'warn.own.until'],
        actions: ['check_lens'],
      })
    }
    expect(overOwn({ ...call, own: { ...own, on: false, looks: 'off' } })?.words).toEqual(['warn.own.off'])
    expect(overOwn({ ...call, own_looks_to_peer: 'covered', own: { ...own, shutter_closed: true } })?.icon).toBe('shutter')
    const early = overOwn({ ...call, own_looks_to_peer: 'unknown', own: { ...own, looks: 'covered' } })
    expect(early?.words).toEqual(['looks.covered'])
  })

  it('asks before unveiling, after what is more urgent', () => {
    const asking = { ...call, reveal: 'open', veil_reason: 'waits_for_you', asks_to_unveil: true } as const
    expect(overOwn(asking)).toEqual({ icon: 'question', words: ['ask.unveil'], actions: ['unveil', 'stay_veiled'] })
    expect(overOwn({ ...asking, own_looks_to_peer: 'covered' })?.icon).toBe('covered')
  })

  it('gives the reason of the veil', () => {
    expect(veilWords(call)).toBe('veil.not_revealed.ask')
    expect(veilWords({ ...call, reveal: 'you_said_yes' })).toBe('veil.not_revealed.asked')
    expect(veilWords({ ...call, reveal: 'open', veil_reason: null })).toBe('veil.open')
    expect(veilWords({ ...call, reveal: 'open', veil_reason: 'peer_not_clear' })).toBe('veil.peer_not_clear')
  })

  it('says how good a connection is while there is one', () => {
    const statistics = { quality: 'poor', own_lowered: 'no', peer_lowered: 'no' } as NonNullable<CallView['statistics']>
    expect(quality(call)).toBe('connected')
    expect(quality({ ...call, statistics })).toBe('poor')
    expect(quality({ ...call, connection: 'reconnecting', statistics })).toBe('reconnecting')
  })

  it('says what is lowered and why, theirs first', () => {
    const statistics = { loss_percent: 0, own_lowered: 'own_processor', peer_lowered: 'peer_connection' } as NonNullable<CallView['statistics']>
    expect(quality({ ...call, statistics })).toBe('lowered')
    expect(lowered({ ...call, statistics })).toEqual(['lowered.theirs.their_connection', 'lowered.yours.your_computer'])
    expect(lowered({ ...call, connection: 'reconnecting', statistics })).toEqual([])
    const html = shown({ ...pages.call, statistics })
    expect(html).toContain('data-testid="lowered"')
    expect(html).toContain('Their picture is lowered: their connection is slow.')
  })
})
