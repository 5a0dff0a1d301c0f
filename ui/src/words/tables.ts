// Each member of the shell's enums and the key of its words. The types make a missing one an error.
import type { Closed } from '../bindings/Closed'
import type { Connection } from '../bindings/Connection'
import type { EndReason } from '../bindings/EndReason'
import type { Forbidden } from '../bindings/Forbidden'
import type { Lowered } from '../bindings/Lowered'
import type { Notice } from '../bindings/Notice'
import type { PeerCard } from '../bindings/PeerCard'
import type { Quality } from '../bindings/Quality'
import type { Reason } from '../bindings/Reason'
import type { AppealState } from '../bindings/AppealState'
import type { Category } from '../bindings/Category'
import type { Measure } from '../bindings/Measure'
import type { RefusalCode } from '../bindings/RefusalCode'
import type { Seen } from '../bindings/Seen'
import type { ServerProblem } from '../bindings/ServerProblem'
import type { Shows } from '../bindings/Shows'
import type { Sign } from '../bindings/Sign'
import type { Untrusted } from '../bindings/Untrusted'
import type { VeilReason } from '../bindings/VeilReason'
import { languageName, list, dateOf, t, type Key } from './words.svelte'

export const SIGNS: Record<Sign, Key> = {
  aries: 'sign.aries',
  taurus: 'sign.taurus',
  gemini: 'sign.gemini',
  cancer: 'sign.cancer',
  leo: 'sign.leo',
  virgo: 'sign.virgo',
  libra: 'sign.libra',
  scorpio: 'sign.scorpio',
  sagittarius: 'sign.sagittarius',
  capricorn: 'sign.capricorn',
  aquarius: 'sign.aquarius',
  pisces: 'sign.pisces',
}

/** Those that the profile offers; others are shown as they were written. */
export const INTERESTS: Readonly<Record<string, Key>> = {
  drawing: 'interest.drawing',
  music: 'interest.music',
  films: 'interest.films',
  books: 'interest.books',
  cooking: 'interest.cooking',
  travel: 'interest.travel',
  sports: 'interest.sports',
  games: 'interest.games',
  nature: 'interest.nature',
  photography: 'interest.photography',
  science: 'interest.science',
  languages: 'interest.languages',
  animals: 'interest.animals',
  dancing: 'interest.dancing',
}

export const GAMES: Readonly<Record<string, Key>> = {
  draw_and_guess: 'game.draw_and_guess',
  same_word: 'game.same_word',
  finish_my_drawing: 'game.finish_my_drawing',
  gomoku: 'game.gomoku',
  two_truths: 'game.two_truths',
}

const CRITERIA: Readonly<Record<string, Key>> = {
  language: 'criterion.language',
  interests: 'criterion.interests',
  games: 'criterion.games',
  city: 'criterion.city',
  age: 'criterion.age',
  conduct: 'criterion.conduct',
  newcomer: 'criterion.newcomer',
}

export const LOOKS: Record<Seen, Key> = {
  unknown: 'looks.unknown',
  clear: 'looks.clear',
  dark: 'looks.dark',
  covered: 'looks.covered',
  frozen: 'looks.frozen',
  off: 'looks.off',
  no_signal: 'looks.no_signal',
  partial: 'looks.partial',
  nobody_in_view: 'looks.nobody_in_view',
}

export const PEER_WARNINGS: Record<Seen, Key | null> = {
  unknown: 'warn.peer.unknown',
  clear: null,
  dark: 'warn.peer.dark',
  covered: 'warn.peer.covered',
  frozen: 'warn.peer.frozen',
  off: 'warn.peer.off',
  no_signal: 'warn.peer.no_signal',
  partial: 'warn.peer.partial',
  nobody_in_view: 'warn.peer.nobody_in_view',
}

/** Nothing is said about one's own camera while it is clear or not yet judged. */
export const OWN_WARNINGS: Record<Seen, Key | null> = {
  unknown: null,
  clear: null,
  dark: 'warn.own.dark',
  covered: 'warn.own.covered',
  frozen: 'warn.own.frozen',
  off: 'warn.own.off',
  no_signal: 'warn.own.no_signal',
  partial: 'warn.own.partial',
  nobody_in_view: 'warn.own.nobody_in_view',
}

export const SHOWN: Record<Shows, Key> = { veiled: 'shows.veiled', clear: 'shows.clear' }

export const VEILED_BECAUSE: Record<VeilReason, Key> = {
  not_revealed: 'veil.not_revealed.ask',
  peer_not_clear: 'veil.peer_not_clear',
  you_not_clear: 'veil.you_not_clear',
  peer_veiled: 'veil.peer_veiled',
  waits_for_you: 'veil.waits_for_you',
}

/** Why nobody new can be met now. */
export const CLOSED: Record<Closed, Key> = {
  hours: 'waiting.closed.hours',
  admission: 'waiting.closed.admission',
  sessions: 'waiting.closed.sessions',
}

export const ENDED: Record<EndReason, Key> = {
  left: 'end.left',
  vanished: 'end.vanished',
}

/** The word beside the dot and the sentence over the tile. */
export const CONNECTIONS: Record<Connection | Quality | 'lowered', { word: Key; sentence: Key | null }> = {
  connecting: { word: 'connection.connecting', sentence: 'connection.connecting.text' },
  connected: { word: 'connection.good', sentence: null },
  good: { word: 'connection.good', sentence: null },
  fair: { word: 'connection.fair', sentence: 'connection.fair.text' },
  poor: { word: 'connection.poor', sentence: 'connection.poor.text' },
  // What is lowered and why is said by the sentences below.
  lowered: { word: 'connection.lowered', sentence: null },
  reconnecting: { word: 'connection.reconnecting', sentence: 'connection.reconnecting.text' },
  peer_away: { word: 'connection.peer_away', sentence: 'connection.peer_away.text' },
}

/** Why one's own picture is lowered, and why theirs is. */
export const OWN_LOWERED: Record<Lowered, Key | null> = {
  no: null,
  own_connection: 'lowered.yours.your_connection',
  peer_connection: 'lowered.yours.their_connection',
  connection: 'lowered.yours.connection',
  own_processor: 'lowered.yours.your_computer',
  peer_processor: null,
}
export const PEER_LOWERED: Record<Lowered, Key | null> = {
  no: null,
  own_connection: 'lowered.theirs.your_connection',
  peer_connection: 'lowered.theirs.their_connection',
  connection: 'lowered.theirs.connection',
  own_processor: null,
  peer_processor: 'lowered.theirs.their_computer',
}

/** In the order in which the dialog lists them. */
export const CATEGORIES: Record<Category, Key> = {
  underage: 'report.underage',
  danger: 'report.danger',
  sexual: 'report.sexual',
  harassment: 'report.harassment',
  hate: 'report.hate',
  fake: 'report.fake',
  scam: 'report.scam',
  other: 'report.other',
}

export const MEASURES: Record<Measure, Key> = {
  warning: 'note.warning',
  pause: 'note.pause',
  automatic_pause: 'note.automatic_pause',
  ban: 'note.ban',
}

export const APPEALS: Record<Exclude<AppealState, 'open'>, Key> = {
  made: 'note.appeal.made',
  upheld: 'note.appeal.upheld',
  granted: 'note.appeal.granted',
}

const REFUSALS: Record<RefusalCode, Key> = {
  under_age: 'refusal.under_age',
  not_verified: 'refusal.not_verified',
  sign_in_expired: 'refusal.sign_in_expired',
  issuer_fault: 'refusal.issuer_fault',
  sign_in_denied: 'refusal.sign_in_denied',
  token_expired: 'refusal.token_expired',
  token_invalid: 'refusal.token_invalid',
  bad_request: 'refusal.bad_request',
  profile_incomplete: 'refusal.profile_incomplete',
  too_many_requests: 'refusal.too_many_requests',
  paused: 'refusal.paused',
  banned: 'refusal.banned',
  leaving: 'refusal.leaving',
  replaced: 'refusal.replaced',
  outdated_app: 'refusal.outdated_app',
  shutting_down: 'refusal.shutting_down',
  internal: 'refusal.internal',
  unknown: 'refusal.unknown',
}

type Denied = 'camera_denied' | 'microphone_denied' | 'speaker_denied'
/** What helps, on the system that said no. Only on Linux a speaker is kept from a program. */
const DENIED: Record<Denied, Record<Forbidden, Key>> = {
  camera_denied: {
    windows_privacy: 'notice.camera_denied.windows_privacy',
    macos_privacy: 'notice.camera_denied.macos_privacy',
    linux_group: 'notice.camera_denied.linux_group',
    linux_policy: 'notice.camera_denied.linux_policy',
  },
  microphone_denied: {
    windows_privacy: 'notice.microphone_denied.windows_privacy',
    macos_privacy: 'notice.microphone_denied.macos_privacy',
    linux_group: 'notice.microphone_denied.linux_group',
    linux_policy: 'notice.microphone_denied.linux_policy',
  },
  speaker_denied: {
    windows_privacy: 'notice.speaker_denied.policy',
    macos_privacy: 'notice.speaker_denied.policy',
    linux_group: 'notice.speaker_denied.linux_group',
    linux_policy: 'notice.speaker_denied.policy',
  },
}

type Plain = Exclude<Notice['notice'], 'refused' | Denied>
/** `retry`: whether there is something to try again. */
const NOTICES: Record<Plain, { words: Key; retry: boolean }> = {
  server_unreachable: { words: 'notice.server_unreachable', retry: true },
  server_lost: { words: 'notice.server_lost', retry: false },
  server_malformed: { words: 'notice.server_malformed', retry: true },
  browser_did_not_open: { words: 'notice.browser_did_not_open', retry: true },
  sign_in_timed_out: { words: 'notice.sign_in_timed_out', retry: true },
  camera_missing: { words: 'notice.camera_missing', retry: true },
  camera_busy: { words: 'notice.camera_busy', retry: true },
  camera_file_broken: { words: 'notice.camera_file_broken', retry: true },
  camera_failed: { words: 'notice.camera_failed', retry: true },
  camera_gone: { words: 'notice.camera_gone', retry: false },
  camera_instead: { words: 'notice.camera_instead', retry: false },
  no_microphone: { words: 'notice.no_microphone', retry: true },
  microphone_busy: { words: 'notice.microphone_busy', retry: true },
  microphone_failed: { words: 'notice.microphone_failed', retry: true },
  microphone_gone: { words: 'notice.microphone_gone', retry: false },
  microphone_instead: { words: 'notice.microphone_instead', retry: false },
  no_speaker: { words: 'notice.no_speaker', retry: true },
  speaker_busy: { words: 'notice.speaker_busy', retry: true },
  speaker_failed: { words: 'notice.speaker_failed', retry: true },
  speaker_gone: { words: 'notice.speaker_gone', retry: false },
  speaker_instead: { words: 'notice.speaker_instead', retry: false },
  device_back: { words: 'notice.device_back', retry: false },
  keyring_missing: { words: 'notice.keyring_missing', retry: false },
  call_failed: { words: 'notice.call_failed', retry: false },
  call_tampered: { words: 'notice.call_tampered', retry: false },
  match_withdrawn: { words: 'notice.match_withdrawn', retry: false },
  call_declined: { words: 'notice.call_declined', retry: false },
  call_unanswered: { words: 'notice.call_unanswered', retry: false },
  call_busy: { words: 'notice.call_busy', retry: false },
  call_offline: { words: 'notice.call_offline', retry: false },
  call_missed: { words: 'notice.call_missed', retry: false },
  call_too_often: { words: 'notice.call_too_often', retry: false },
  call_not_friends: { words: 'notice.call_not_friends', retry: false },
  drawing_saved: { words: 'notice.drawing_saved', retry: false },
  drawing_disk_full: { words: 'notice.drawing_disk_full', retry: false },
  drawing_folder: { words: 'notice.drawing_folder', retry: false },
  drawing_failed: { words: 'notice.drawing_failed', retry: false },
  ended_badly: { words: 'notice.ended_badly', retry: false },
  signed_in_elsewhere: { words: 'notice.signed_in_elsewhere', retry: true },
  blocked: { words: 'notice.blocked', retry: false },
  diagnostics_saved: { words: 'notice.diagnostics_saved', retry: false },
  reported: { words: 'notice.reported', retry: false },
  data_exported: { words: 'notice.data_exported', retry: false },
  data_not_exported: { words: 'notice.data_not_exported', retry: false },
  account_deleted: { words: 'notice.account_deleted', retry: false },
  diagnostics_not_saved: { words: 'notice.diagnostics_not_saved', retry: false },
}

/** Refusals that stay what they are however often they are tried. */
const FINAL: readonly RefusalCode[] = ['under_age', 'profile_incomplete', 'outdated_app', 'bad_request', 'paused', 'banned', 'leaving']

export function noticeWords(notice: Notice): { text: string; retry: boolean } {
  if (notice.notice === 'refused') {
    const { code, message } = notice
    const key = REFUSALS[code] as Key | undefined
    return { text: t(key ?? 'refusal.unknown', { message }), retry: !FINAL.includes(code) }
  }
  if (notice.notice === 'camera_denied' || notice.notice === 'microphone_denied' || notice.notice === 'speaker_denied') {
    return { text: t(DENIED[notice.notice][notice.why], { name: 'name' in notice ? notice.name : '' }), retry: true }
  }
  const { words, retry } = NOTICES[notice.notice]
  if (notice.notice === 'reported') return { text: t(words, { date: dateOf(notice.decided_by) }), retry }
  if (notice.notice === 'account_deleted') {
    const { held_until } = notice
    return { text: held_until === null ? t(words) : t('notice.account_held', { date: dateOf(held_until) }), retry }
  }
  return { text: t(words, { ...notice }), retry }
}

function known(table: Readonly<Record<string, Key>>, word: string): string {
  const key = Object.hasOwn(table, word) ? table[word] : undefined
  return key ? t(key) : word
}

export const interest = (word: string): string => known(INTERESTS, word)
export const game = (word: string): string => known(GAMES, word)
export const criteria = (words: readonly string[]): string => list(words.map((word) => known(CRITERIA, word)))

export function reasonWords(reason: Reason): string {
  switch (reason.because) {
    case 'same_city':
      return t('reason.same_city', { city: reason.city })
    case 'both_like':
      return t('reason.both_like', { things: list(reason.interests.map(interest)) })
    case 'both_play':
      return t('reason.both_play', { things: list(reason.games.map(game)) })
    case 'close_in_age':
      return t('reason.close_in_age')
    case 'same_language':
      return t('reason.same_language', { language: languageName(reason.language) })
  }
}

/** City, age and sign in one line, as far as they are shared. */
export function cardLine(card: PeerCard): string {
  const parts = [
    card.city,
    card.age === null ? null : t('card.age', { age: card.age }),
    card.sign === null ? null : t(SIGNS[card.sign]),
  ]
  return parts.filter(Boolean).join(' · ')
}

const UNTRUSTED: Record<Untrusted, Key> = {
  expired: 'server.untrusted.expired',
  other_name: 'server.untrusted.other_name',
  unknown_issuer: 'server.untrusted.unknown_issuer',
  no_tls: 'server.untrusted.no_tls',
  other: 'server.untrusted.other',
}

const SERVER_PROBLEMS: Record<Exclude<ServerProblem['problem'], 'untrusted'>, Key> = {
  no_address: 'server.problem.no_address',
  not_safe: 'server.problem.not_safe',
  name_unknown: 'server.problem.name_unknown',
  unreachable: 'server.problem.unreachable',
  not_visavis: 'server.problem.not_visavis',
  not_ready: 'server.problem.not_ready',
  app_too_old: 'server.problem.app_too_old',
  server_too_old: 'server.problem.server_too_old',
}

export function serverWords(problem: ServerProblem): string {
  const key = problem.problem === 'untrusted' ? UNTRUSTED[problem.because] : SERVER_PROBLEMS[problem.problem]
  return t(key, { host: 'host' in problem ? problem.host : '' })
}
