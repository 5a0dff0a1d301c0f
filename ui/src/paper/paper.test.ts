import { beforeEach, describe, expect, it } from 'vitest'
import type { Op } from '../bindings/Op'
import type { Point } from '../bindings/Point'
import { css, outline, toPaper } from './geometry'
import { PaperModel, type Change } from './model'
import { BATCH_POINTS, Pen, STROKE_POINTS } from './pen'
import { SoloPaper } from './solo.svelte'

const at = (x: number, y = 0, pressure = 128): Point => ({ x, y, pressure })
const run = (from: number, count: number): Point[] => Array.from({ length: count }, (_, index) => at(from + index, index))
const stroke = (seq: number, points: Point[], colour = 1, size = 80): Op => ({
  id: { author: 0, seq },
  time: seq,
  kind: { stroke: { colour, size, points } },
})

describe('toPaper', () => {
  it('maps a place in the sheet to tenths of a paper unit', () => {
    expect(toPaper(450, 281.25, 900, 562.5, null)).toEqual({ x: 8000, y: 5000, pressure: 128 })
  })

  it('keeps what is outside on the edge', () => {
    expect(toPaper(-20, 9999, 900, 562.5, 2)).toEqual({ x: 0, y: 10000, pressure: 255 })
  })
})

describe('outline', () => {
  it('encloses the line at about its size', () => {
    const corners = outline({ colour: 0, size: 100, points: [at(1000, 500), at(2000, 500), at(3000, 500)] }, true)
    const ys = corners.map(([, y]) => y ?? 0)
    expect(Math.max(...ys)).toBeGreaterThan(510)
    expect(Math.max(...ys)).toBeLessThan(600)
  })

  it('makes a dot of a single point, nothing of none', () => {
    expect(outline({ colour: 0, size: 100, points: [at(10, 10)] }, true).length).toBeGreaterThan(3)
    expect(outline({ colour: 0, size: 100, points: [] }, true)).toEqual([])
  })

  it('writes a colour as the style wants it', () => {
    expect([0x0000ff, 0xff00_0001].map(css)).toEqual(['#0000ff', '#000001'])
  })
})

describe('Pen', () => {
  let batches: { id: number; points: Point[] }[]
  let ended: number[]
  let pen: Pen
  beforeEach(() => {
    batches = []
    ended = []
    pen = new Pen({
      points: (id, _colour, _size, points) => batches.push({ id, points }),
      end: (id) => ended.push(id),
    })
  })

  it('hands over each point once, in batches', () => {
    pen.begin(1, 80, at(0))
    pen.extend(run(1, 5))
    pen.flush()
    pen.flush()
    pen.extend(run(10, 3))
    pen.end()
    expect(batches.map(({ points }) => points.length)).toEqual([6, 3])
    expect(new Set(batches.map(({ id }) => id)).size).toBe(1)
    expect(ended).toEqual([batches[0]?.id])
  })

  it('leaves out points that do not move', () => {
    pen.begin(1, 80, at(5))
    pen.extend([at(5), at(5, 0, 200), at(6), at(6)])
    pen.end()
    expect(batches[0]?.points).toEqual([at(5), at(6)])
  })

  it('splits long batches and long strokes, which go on from the same place', () => {
    pen.begin(1, 80, at(0))
    pen.extend(run(1, STROKE_POINTS + 10))
    pen.end()
    expect(Math.max(...batches.map(({ points }) => points.length))).toBeLessThanOrEqual(BATCH_POINTS)
    expect(ended.length).toBe(2)
    const [first, second] = ended.map((id) => batches.filter((batch) => batch.id === id).flatMap(({ points }) => points))
    expect(first?.length).toBe(STROKE_POINTS)
    expect(second?.[0]).toEqual(first?.at(-1))
  })

  it('uses an id once, and ends nothing twice', () => {
    pen.begin(1, 80, at(0))
    pen.begin(1, 80, at(9))
    pen.end()
    pen.end()
    pen.extend([at(3)])
    pen.flush()
    expect(ended.length).toBe(2)
    expect(new Set(ended).size).toBe(2)
    expect(batches.flatMap(({ points }) => points)).toEqual([at(0), at(9)])
  })
})

describe('PaperModel', () => {
  let model: PaperModel
  let changes: Change[]
  beforeEach(() => {
    model = new PaperModel()
    changes = []
    model.watch((change) => changes.push(change))
  })

  it('keeps own ink wet until its stroke comes back', () => {
    model.ownPoints(7, 1, 80, run(100, 3), 0)
    model.ownEnd(7, 10)
    model.apply({ event: 'paper_append', stroke: stroke(1, run(500, 3)) }, 20)
    expect(model.wet().length).toBe(1)
    model.apply({ event: 'paper_append', stroke: stroke(2, run(100, 3)) }, 30)
    expect(model.wet()).toEqual([])
    expect(model.committed.length).toBe(2)
    expect(changes.filter((change) => change === 'appended').length).toBe(2)
  })

  it('does not take a stroke under way for an older one that began at the same place', () => {
    model.ownPoints(7, 1, 80, run(100, 3), 0)
    model.apply({ event: 'paper_append', stroke: stroke(1, run(100, 3)) }, 5)
    expect(model.wet().length).toBe(1)
  })

  it('draws anew from the whole paper, and keeps ink that is not on it', () => {
    model.ownPoints(1, 1, 80, run(100, 3), 0)
    model.ownEnd(1, 0)
    model.ownPoints(2, 1, 80, run(900, 3), 0)
    model.apply({ event: 'paper', strokes: [stroke(1, run(100, 3)), { id: { author: 1, seq: 1 }, time: 2, kind: 'clear' }] }, 5)
    expect(model.committed.length).toBe(1)
    expect(model.wet().map(({ line }) => line.points[0]?.x)).toEqual([900])
    expect(changes.at(-1)).toBe('all')
  })

  it('puts the points of the peer where they belong, whatever is repeated or lost', () => {
    const ink = (from: number, points: Point[]): void =>
      model.apply({ event: 'peer_ink', stroke: 3, colour: 1, size: 80, from, points }, 0)
    ink(0, run(0, 4))
    ink(2, run(2, 4).map((point, index) => ({ ...point, y: index + 2 })))
    ink(50, [at(50)])
    expect(model.wet()[0]?.line.points.map(({ x }) => x)).toEqual([0, 1, 2, 3, 4, 5, 50])
    model.apply({ event: 'paper_append', stroke: stroke(1, run(0, 8)) }, 0)
    expect(model.wet()).toEqual([])
  })

  it('is not filled without end by a peer', () => {
    for (let from = 0; from < 65536; from += 64) {
      model.apply({ event: 'peer_ink', stroke: 3, colour: 1, size: 80, from, points: run(0, 64) }, 0)
    }
    expect(model.wet()[0]?.line.points.length).toBe(4096)
  })

  it('lets ink dry up that nobody has claimed', () => {
    model.ownPoints(1, 1, 80, run(0, 3), 0)
    model.age(60_000)
    expect(model.wet().length).toBe(1)
    model.ownEnd(1, 60_000)
    model.apply({ event: 'peer_ink', stroke: 3, colour: 2, size: 80, from: 0, points: run(0, 3) }, 60_000)
    model.age(64_000)
    expect(model.wet().length).toBe(1)
    model.age(90_000)
    expect(model.wet()).toEqual([])
  })
})

describe('SoloPaper', () => {
  it('takes strokes and clears back, and brings them again', () => {
    const solo = new SoloPaper()
    const drawAt = (id: number, x: number): void => {
      solo.sink.points(id, 1, 80, run(x, 2))
      solo.sink.points(id, 1, 80, run(x + 2, 2))
      solo.sink.end(id)
    }
    const starts = (): (number | undefined)[] => solo.model.committed.map(({ points }) => points[0]?.x)
    drawAt(1, 100)
    drawAt(2, 200)
    expect(solo.model.committed[0]?.points.length).toBe(4)
    solo.clear()
    expect(starts()).toEqual([])
    solo.undo()
    expect(starts()).toEqual([100, 200])
    solo.undo()
    expect(starts()).toEqual([100])
    solo.redo()
    expect(starts()).toEqual([100, 200])
    solo.undo()
    drawAt(3, 300)
    solo.redo()
    expect(starts()).toEqual([100, 300])
    solo.sink.end(99)
    expect(starts()).toEqual([100, 300])
  })
})
