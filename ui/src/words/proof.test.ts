import { describe, expect, it, vi } from 'vitest'
import ar from '@locales/ar.json'
import de from '@locales/de.json'
import en from '@locales/en.json'
import es from '@locales/es.json'
import fr from '@locales/fr.json'
import ja from '@locales/ja.json'
import pt from '@locales/pt.json'
import zh from '@locales/zh.json'
import { PROOF_PICTURES, proofPictures } from './proof'

vi.stubGlobal('document', { documentElement: {} })

describe('the pictures that prove that nobody is in between', () => {
  it('are 64 different ones, with different names in every language', () => {
    expect(PROOF_PICTURES).toHaveLength(64)
    expect(new Set(PROOF_PICTURES.map(({ Icon }) => Icon)).size).toBe(64)
    for (const words of [en, zh, es, fr, de, pt, ja, ar]) expect(new Set(PROOF_PICTURES.map(({ name }) => words[name])).size).toBe(64)
  })

  it('keep their numbers: two versions of the app must show the same', () => {
    const order = PROOF_PICTURES.map(({ name }) => name.slice('proof.'.length)).join(' ')
    expect(order).toBe(
      'anchor apple axe banana bed bell bicycle bird bone book bus cake camera carrot castle cat cherries cloud clover cup crown dice dog drum egg feather fish flag fire flower ghost present glasses grapes guitar hammer heart house key lamp leaf magnet moon mountain palette piano pizza aeroplane puzzle rabbit rainbow rocket ruler sailing_boat scissors snail snowflake sun tent train trophy turtle umbrella wristwatch',
    )
    expect(proofPictures([0, 63, 0, 7]).map(({ name }) => name)).toEqual(['proof.anchor', 'proof.wristwatch', 'proof.anchor', 'proof.bird'])
    expect(proofPictures([64, -1])).toEqual([])
  })
})
