// The figures of a call as rows of words, apart from their page so that they can be tried alone.
import type { CodecReason } from '../bindings/CodecReason'
import type { Statistics } from '../bindings/Statistics'
import { language, t, type Key } from '../words/words.svelte'

export interface Row {
  name: Key
  value: string
}

export interface Group {
  name: Key
  rows: Row[]
}

const REASONS: Record<CodecReason, Key> = {
  preferred: 'figures.codec.preferred',
  only_one: 'figures.codec.only_one',
  too_few_cores: 'figures.codec.too_few_cores',
  too_slow: 'figures.codec.too_slow',
  enough_bits: 'figures.codec.enough_bits',
}

function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)
}

const ms = (value: number | null): string => (value === null ? '–' : t('figures.ms', { value: number(value, value < 10 ? 1 : 0) }))
const kbps = (value: number): string => t('figures.kbps', { value: number(value) })
const percent = (value: number): string => t('figures.percent', { value: number(value, 1) })
const count = (value: number): string => number(value)

function picture(width: number, height: number, fps: number): string {
  return width === 0 ? '–' : t('figures.picture_value', { width: String(width), height: String(height), fps: number(fps) })
}

function codec(figures: Statistics): string {
  return figures.sent_codec === null ? '–' : t('figures.codec_value', { codec: figures.sent_codec, why: t(REASONS[figures.codec_reason]) })
}

/** `ignored`: operations and ink of the peer that were not taken. */
export function groups(figures: Statistics, ignored: number): Group[] {
  return [
    {
      name: 'figures.path',
      rows: [
        { name: 'figures.round_trip', value: ms(figures.round_trip_ms) },
        { name: 'figures.way', value: t(figures.relayed ? 'figures.relayed' : 'figures.direct') },
        { name: 'figures.sound_buffer', value: ms(figures.jitter_buffer_ms) },
      ],
    },
    {
      name: 'figures.out',
      rows: [
        { name: 'figures.picture', value: picture(figures.sent_width, figures.sent_height, figures.sent_fps) },
        { name: 'figures.codec', value: codec(figures) },
        { name: 'figures.rate', value: kbps(figures.sent_kbps) },
        { name: 'figures.allowed', value: kbps(figures.target_kbps) },
        { name: 'figures.acknowledged', value: kbps(figures.acknowledged_kbps) },
        { name: 'figures.loss', value: percent(figures.sent_loss_percent) },
        { name: 'figures.encode', value: ms(figures.encode_ms) },
        { name: 'figures.sent_again', value: count(figures.resent) },
        { name: 'figures.repairs_asked', value: count(figures.nacks_received) },
        { name: 'figures.keys_asked', value: count(figures.key_frames_requested) },
        { name: 'figures.left_out', value: count(figures.skipped) },
        { name: 'figures.voided', value: count(figures.voided) },
      ],
    },
    {
      name: 'figures.in',
      rows: [
        { name: 'figures.picture', value: picture(figures.received_width, figures.received_height, figures.received_fps) },
        { name: 'figures.codec', value: figures.received_codec ?? '–' },
        { name: 'figures.rate', value: kbps(figures.received_kbps) },
        { name: 'figures.loss', value: percent(figures.loss_percent) },
        { name: 'figures.decode', value: ms(figures.decode_ms) },
        { name: 'figures.assembly', value: ms(figures.assembly_ms) },
        { name: 'figures.freezes', value: t('figures.freezes_value', { count: count(figures.freezes), time: ms(figures.frozen_ms) }) },
        { name: 'figures.repaired', value: count(figures.repaired) },
        { name: 'figures.repairs_asked', value: count(figures.nacks_sent) },
        { name: 'figures.keys_asked', value: count(figures.key_frames_asked) },
        { name: 'figures.left_out', value: count(figures.not_shown) },
        { name: 'figures.ignored', value: count(figures.malformed + ignored) },
      ],
    },
  ]
}
