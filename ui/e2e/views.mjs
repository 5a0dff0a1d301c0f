// What the scripted shell says: one view for each page and for each state that a page can be in.
import { games } from './games.mjs'

const fact = (value, shared = true) => ({ value, shared })
const card = {
  city: 'Lisbon',
  age: 31,
  sign: 'libra',
  languages: ['en', 'zh'],
  interests: ['drawing', 'cooking', 'music'],
  games: ['draw_and_guess', 'gomoku'],
}
const devices = {
  cameras: [
    { id: 'face', name: 'Drawn face', synthetic: true, gone: false },
    { id: 'usb', name: 'Integrated Camera', synthetic: false, gone: false },
  ],
  microphones: [{ id: 'mic', name: 'Built-in Audio Analogue Stereo', synthetic: false, gone: false }],
  speakers: [{ id: 'speaker', name: 'Headphones', synthetic: false, gone: false }],
  camera: 'usb',
  microphone: 'mic',
  speaker: 'speaker',
  silent_microphone: false,
  silent_speaker: false,
}
const own = { on: true, looks: 'clear', shutter_closed: false }
const call = {
  page: 'call',
  connection: 'connected',
  path: 'relayed',
  duration_s: 252,
  card,
  you_see: 'veiled',
  they_see: 'veiled',
  peer_looks: 'clear',
  warn_peer: false,
  own_looks_to_peer: 'clear',
  own,
  reveal: 'not_asked',
  veil_reason: 'not_revealed',
  asks_to_unveil: false,
  muted: false,
  peer_muted: false,
  can_undo: true,
  can_redo: false,
  statistics: null,
  ignored: 0,
  pictures: [1, 12, 40, 63],
  game: null,
  wish: null,
  unfair: null,
}
const statistics = {
  quality: 'fair', round_trip_ms: 62.4, relayed: true, malformed: 0,
  target_kbps: 1180, sent_kbps: 1042, acknowledged_kbps: 1009, sent_loss_percent: 3.2, sent_fps: 29.8, sent_width: 640, sent_height: 360,
  sent_codec: 'VP9', codec_reason: 'preferred', encode_ms: 4.3, skipped: 12, voided: 31, nacks_received: 214, key_frames_requested: 2, resent: 388,
  received_kbps: 987, loss_percent: 4.7, received_fps: 29.1, received_width: 1280, received_height: 720, received_codec: 'VP8', decode_ms: 2.1,
  assembly_ms: 14.6, jitter_buffer_ms: 58.2, freezes: 3, frozen_ms: 1240, not_shown: 5, nacks_sent: 342, key_frames_asked: 1, repaired: 611, surplus: 14,
  queue_ms: 8.1, path_jitter_ms: 2.4, own_lowered: 'no', peer_lowered: 'no', jitter_buffer_target_ms: 60, voice_concealed_percent: 0.4,
  voice_recovered_percent: 1.1, voice_stretched_percent: 0.9, voice_drift_ppm: 12, voice_sent_twice: 88, voice_after_picture_ms: -18,
}
const open = { ...call, reveal: 'open', you_see: 'clear', they_see: 'clear', veil_reason: null }
const profile = {
  city: fact('Lisbon'),
  languages: fact(['en', 'zh']),
  interests: fact(['drawing', 'cooking', 'music', 'old maps']),
  games: fact(['draw_and_guess', 'gomoku'], false),
  age: fact(31),
  sign: fact('libra'),
  picture: fact(false),
}
const follows = [
  { id: 'f1', username: 'marisol', since: 1_780_000_000, online: true, unread: 3 },
  { id: 'f2', username: 'Anselm Weidenbach', since: 1_777_000_000, online: false, unread: 0 },
]
const texts = [
  { number: 1, own: false, text: 'That boat of yours had three masts in the end.', sent_at: 1_780_100_000 },
  { number: 2, own: true, text: 'Four. You forgot the one behind the house.', sent_at: 1_780_100_100 },
  { number: 3, own: false, text: 'Again on Friday?\nI bring the sea.', sent_at: 1_780_103_000 },
]
const sessions = [
  { match_id: 'm1', card, began_at: 1_780_103_000, lasted_s: 754, ended: 'left', blocked: false },
  { match_id: 'm2', card: { ...card, city: null, age: null, games: [] }, began_at: 1_780_003_000, lasted_s: 61, ended: 'vanished', blocked: true },
  { match_id: 'm3', card: { ...card, city: null, age: null, sign: null, languages: [], interests: [], games: [] }, began_at: 1_779_003_000, lasted_s: null, ended: null, blocked: false },
]

/** `veiled`: whether the frame of the stream is. */
export const views = {
  starting: { page: { page: 'starting' }, username: null },
  welcome: { page: { page: 'welcome' }, username: null },
  server: { page: { page: 'server', tried: '', checking: false, problem: null, suggested: null, can_close: false }, username: null, server: { address: null, fixed: false } },
  'server-checking': {
    page: { page: 'server', tried: 'visavis.example', checking: true, problem: null, suggested: null, can_close: false },
    username: null,
    server: { address: null, fixed: false },
  },
  'server-problem': {
    page: {
      page: 'server',
      tried: 'visavis.exmaple:8443',
      checking: false,
      problem: { problem: 'untrusted', host: 'visavis.exmaple:8443', because: 'unknown_issuer' },
      suggested: 'https://visavis.example',
      can_close: true,
    },
    username: null,
  },
  'welcome-refused': {
    page: { page: 'welcome' },
    username: null,
    notice: { notice: 'refused', code: 'not_verified', message: 'No verified adult claim.' },
  },
  'welcome-unreachable': {
    page: { page: 'welcome' },
    username: null,
    notice: { notice: 'server_unreachable', host: '127.0.0.1:8443' },
  },
  signing_in: { page: { page: 'signing_in' }, username: null },
  profile: { page: { page: 'profile', profile, card: { ...card, games: [] }, picture: null, saving: false } },
  mirror: { page: { page: 'mirror', own } },
  'mirror-covered': {
    page: { page: 'mirror', own: { ...own, looks: 'covered' } },
    devices: { ...devices, microphones: [], microphone: '', silent_microphone: true },
  },
  'mirror-silent': {
    page: { page: 'mirror', own },
    devices: { ...devices, microphones: [], microphone: '', silent_microphone: true, speakers: [], speaker: '', silent_speaker: true },
  },
  'mirror-unplugged': {
    page: { page: 'mirror', own: { ...own, looks: 'no_signal' } },
    notice: { notice: 'microphone_instead', name: 'Headset', other: 'Built-in Audio Analogue Stereo' },
    devices: {
      ...devices,
      cameras: [devices.cameras[0], { ...devices.cameras[1], gone: true }],
      microphones: [{ id: 'default', name: 'Built-in Audio Analogue Stereo', synthetic: false, gone: false }, ...devices.microphones],
      microphone: 'default',
    },
  },
  'mirror-denied': {
    page: { page: 'mirror', own: { ...own, looks: 'no_signal' } },
    notice: { notice: 'camera_denied', name: 'Integrated Camera', why: 'linux_group' },
  },
  'mirror-off': { page: { page: 'mirror', own: { ...own, on: false, looks: 'off' } } },
  'mirror-shutter': { page: { page: 'mirror', own: { ...own, looks: 'covered', shutter_closed: true } } },
  waiting: {
    page: { page: 'waiting', waited_s: 74, looking_for: ['language', 'interests', 'city'], relaxed: ['city'], estimate_s: 120, closed: null, widening: null },
  },
  'waiting-closed': {
    page: { page: 'waiting', waited_s: 0, looking_for: [], relaxed: [], estimate_s: null, closed: { because: 'hours', opens_in_s: 8073 }, widening: null },
  },
  'waiting-admission': {
    page: { page: 'waiting', waited_s: 0, looking_for: [], relaxed: [], estimate_s: null, closed: { because: 'admission', opens_in_s: null }, widening: null },
  },
  match: {
    page: {
      page: 'match',
      card,
      reasons: [{ because: 'same_city', city: 'Lisbon' }, { because: 'both_like', interests: ['drawing', 'music'] }],
      answer_within_s: 24,
      answered: false,
    },
  },
  'match-answered': {
    page: { page: 'match', card: { ...card, city: null, games: [] }, reasons: [], answer_within_s: 11, answered: true },
  },
  'call-veiled': { page: call, veiled: { own: true, peer: true } },
  'call-asked': { page: { ...call, reveal: 'you_said_yes', muted: true }, veiled: { own: true, peer: true } },
  'call-open': { page: open },
  'call-faces': { page: open, press: 'f' },
  'call-figures': { page: { ...open, statistics }, press: 'n' },
  'call-covered': {
    page: { ...open, they_see: 'veiled', peer_looks: 'covered', warn_peer: true, veil_reason: 'peer_not_clear', peer_muted: true },
    veiled: { own: true },
  },
  'call-own-covered': {
    page: { ...open, you_see: 'veiled', they_see: 'veiled', own_looks_to_peer: 'covered', veil_reason: 'you_not_clear' },
    veiled: { peer: true, own: true },
  },
  'call-partial': {
    page: { ...open, they_see: 'veiled', peer_looks: 'partial', warn_peer: true, veil_reason: 'waits_for_you' },
    veiled: { own: true },
  },
  'call-both': {
    page: {
      ...open,
      you_see: 'veiled',
      they_see: 'veiled',
      peer_looks: 'nobody_in_view',
      warn_peer: true,
      own_looks_to_peer: 'partial',
      veil_reason: 'peer_not_clear',
    },
    veiled: { own: true, peer: true },
  },
  'call-stays-veiled': {
    page: { ...open, you_see: 'veiled', they_see: 'veiled', veil_reason: 'peer_veiled' },
    veiled: { own: true, peer: true },
  },
  'call-ask': {
    page: { ...open, they_see: 'veiled', veil_reason: 'waits_for_you', asks_to_unveil: true },
    veiled: { own: true },
  },
  'call-shutter': {
    page: {
      ...open,
      you_see: 'veiled',
      they_see: 'veiled',
      own: { ...own, looks: 'covered', shutter_closed: true },
      own_looks_to_peer: 'covered',
      veil_reason: 'you_not_clear',
    },
    veiled: { own: true, peer: true },
  },
  'call-early': { page: { ...call, peer_looks: 'dark', warn_peer: true }, veiled: { own: true, peer: true } },
  'call-away': {
    page: { ...open, connection: 'peer_away', they_see: 'veiled', you_see: 'veiled', peer_looks: 'no_signal', veil_reason: 'peer_not_clear' },
    veiled: { own: true },
    silent: ['peer'],
  },
  ...Object.fromEntries(Object.entries(games).map(([name, { press, ...given }]) => [`game-${name}`, { page: { ...open, ...given }, press }])),
  parting: { page: { page: 'parting', reason: 'left', follow: { state: 'asked' }, closes_in_s: 95 } },
  'parting-mutual': { page: { page: 'parting', reason: 'vanished', follow: { state: 'mutual' }, closes_in_s: 0 } },
  friends: { page: { page: 'friends', follows, open: null }, unread: 3 },
  'friends-conversation': {
    page: { page: 'friends', follows, open: { follow: 'f1', texts, loading: false, sending: false } },
  },
  'friends-empty': { page: { page: 'friends', follows: [], open: null } },
  history: { page: { page: 'history', sessions } },
  'history-empty': { page: { page: 'history', sessions: [] } },
}

const cares = { notices: [], sending_report: false, offers_pictures: true, evidence_days: 30, deletion: { step: 'none' } }

export const viewOf = ({ page, username = 'linnea', notice = null, devices: given = devices, unread = 0, care = cares, server = { address: 'https://visavis.example', fixed: false } }) => ({
  page,
  notice,
  username,
  unread,
  devices: given,
  ask_before_unveiling: false,
  choices: { echo_cancellation: true, noise_suppression: true, gain_control: true, direct_calls: false, volume: 100 },
  care,
  server,
})

const line = (colour, size, points) => ({ colour, size, points })
const curve = (count, at) => Array.from({ length: count }, (_, index) => ({ ...at(index / (count - 1)), pressure: 128 }))
const round = ({ x, y }) => ({ x: Math.round(x), y: Math.round(y) })

/** A house by the sea, the sun, and a boat: what two people might draw. */
export const drawing = [
  line(0x2d4b8c, 80, curve(90, (s) => round({ x: 900 + 14200 * s, y: 7300 + 130 * Math.sin(s * 38) }))),
  line(0x4b93c4, 60, curve(80, (s) => round({ x: 1500 + 12800 * s, y: 8200 + 120 * Math.sin(s * 33 + 1) }))),
  line(0xe5b83c, 120, curve(60, (s) => round({ x: 12800 + 950 * Math.cos(s * 6.4), y: 2300 + 950 * Math.sin(s * 6.4) }))),
  ...Array.from({ length: 8 }, (_, ray) => {
    const [cos, sin] = [Math.cos(ray * 0.785 + 0.3), Math.sin(ray * 0.785 + 0.3)]
    return line(0xe07b2a, 70, curve(8, (s) => round({ x: 12800 + (1250 + 550 * s) * cos, y: 2300 + (1250 + 550 * s) * sin })))
  }),
  line(0x1f1b18, 90, curve(70, (s) => {
    const corners = [[2600, 6900], [2600, 4700], [4100, 3300], [5600, 4700], [5600, 6900]]
    const at = Math.min(3.999, s * 4)
    const [a, b] = [corners[Math.floor(at)], corners[Math.floor(at) + 1]]
    return round({ x: a[0] + (b[0] - a[0]) * (at % 1), y: a[1] + (b[1] - a[1]) * (at % 1) })
  })),
  line(0xc23b28, 80, curve(40, (s) => round({ x: 3700 + 800 * s, y: 6900 - 1500 * Math.sin(Math.min(1, s * 1.02) * 3.14) ** 0.4 }))),
  line(0x7a4b2a, 100, curve(50, (s) => round({ x: 8300 + 2800 * s, y: 6500 + 650 * Math.sin(s * 3.14) }))),
  line(0x1f1b18, 60, curve(20, (s) => round({ x: 9700, y: 6450 - 2600 * s }))),
  line(0xd6739a, 80, curve(50, (s) => round({ x: 9800 + 1300 * Math.sin(s * 3.14), y: 3900 + 2300 * s }))),
]

export const operations = drawing.map((stroke, index) => ({
  op: { id: { author: index % 2, seq: index + 1 }, time: index + 1, live: 0, kind: { stroke } },
  shown: true,
}))
