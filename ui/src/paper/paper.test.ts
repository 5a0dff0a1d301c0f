// The parts of the paper, each in its own block. Long because they share the marks and pointers that are made up at the top.

import { beforeEach, describe, expect, it } from 'vitest'
import type { Change as ItemChange } from '../bindings/Change'
import type { Fill } from '../bindings/Fill'
import type { Ink } from '../bindings/Ink'
import type { Item } from '../bindings/Item'
import type { Op } from '../bindings/Op'
import type { OpKind } from '../bindings/OpKind'
import type { Point } from '../bindings/Point'
import type { Shape } from '../bindings/Shape'
import vectors from '../../../crates/canvas/tests/ink.json'
import { CELL_COLUMNS, CELL_ROWS, flood, MOST_RUNS, runsOf, spans } from './fill'
import { css, squared, toPaper } from './geometry'
import { Hand, type Choice, type Report, type Sink } from './hand'
import { chain, outline } from './ink'
import { PaperModel, type Change } from './model'
import { BATCH_POINTS, Pen, STROKE_POINTS, type PenSink, type Touch } from './pen'
import { SoloPaper } from './solo.svelte'
import { tools } from './tools.svelte'

const at = (x: number, y = 0, pressure = 128): Point => ({ x, y, pressure })
const run = (from: number, count: number): Point[] => Array.from({ length: count }, (_, index) => at(from + index * 10, index))
const ink: Ink = { colour: 1, size: 80, fades: false }

describe('places', () => {
  it('maps a place in the sheet to tenths of a paper unit', () => {
    expect(toPaper(450, 281.25, 900, 562.5)).toEqual({ x: 8000, y: 5000 })
  })

  it('keeps what is outside on the edge', () => {
    expect(toPaper(-20, 9999, 900, 562.5)).toEqual({ x: 0, y: 10000 })
  })

  it('makes squares, and lines of a multiple of 45 degrees', () => {
    expect(squared({ x: 100, y: 100 }, { x: 400, y: 200 }, false)).toEqual({ x: 400, y: 400 })
    expect(squared({ x: 100, y: 100 }, { x: 400, y: 150 }, true)).toEqual({ x: 400, y: 100 })
    expect(squared({ x: 100, y: 100 }, { x: 110, y: 900 }, true)).toEqual({ x: 100, y: 900 })
    expect(squared({ x: 100, y: 100 }, { x: 9000, y: 40 }, false)).toEqual({ x: 200, y: 0 })
  })

  it('writes a colour as the style wants it', () => {
    expect([0x0000ff, 0xff00_0001].map(css)).toEqual(['#0000ff', '#000001'])
  })
})

/** Corners as they come, polygons closed by `null`. */
function corners(points: Point[], size: number): (readonly [number, number] | null)[] {
  const found: (readonly [number, number] | null)[] = []
  const add = (x: number, y: number): void => void found.push([x, y])
  outline({ moveTo: add, lineTo: add, closePath: () => void found.push(null) }, chain(points, size))
  return found
}

describe('ink', () => {
  it('covers what the Rust twin covers', () => {
    for (const { name, size, points, corners: expected } of vectors) {
      const found = corners(
        points.map(([x = 0, y = 0, pressure = 0]) => ({ x, y, pressure })),
        size,
      )
      expect(found.length, name).toBe(expected.length)
      found.forEach((corner, index) => {
        const wanted = expected[index]
        if (!corner || !wanted) expect(corner, name).toBe(wanted ?? null)
        else {
          expect(corner[0], name).toBe(wanted[0])
          expect(corner[1], name).toBe(wanted[1])
        }
      })
    }
    expect(vectors.length).toBeGreaterThan(5)
  })

  it('turns all its parts the same way round', () => {
    const points = Array.from({ length: 40 }, (_, i) => at(3000 + Math.round(900 * Math.cos(i)), 3000 + Math.round(700 * Math.sin(i * 1.7)), i * 6))
    let part: (readonly [number, number])[] = []
    for (const corner of corners(points, 300)) {
      if (corner) {
        part.push(corner)
        continue
      }
      const area = part.reduce((sum, [x, y], index) => {
        const [nextX, nextY] = part[(index + 1) % part.length] ?? [0, 0]
        return sum + x * nextY - nextX * y
      }, 0)
      expect(area).toBeGreaterThan(0)
      part = []
    }
  })

  it('drawn bit by bit is the whole chain', () => {
    const points = run(100, 30).map((point, index) => ({ ...point, y: Math.round(500 + 300 * Math.sin(index)) }))
    const whole = chain(points, 80)
    const first = chain(points.slice(0, 12), 80, 1, true)
    const second = chain(points.slice(0, 21), 80, 10, true)
    const rest = chain(points, 80, 19)
    expect([...first, ...second.slice(1), ...rest.slice(1)]).toEqual(whole)
  })
})

describe('fill', () => {
  const sheet = [254, 252, 247] as const
  let cells: Uint8ClampedArray
  const paint = (column: number, row: number, channels: readonly number[]): void => cells.set(channels, (row * CELL_COLUMNS + column) * 4)
  beforeEach(() => {
    cells = new Uint8ClampedArray(CELL_COLUMNS * CELL_ROWS * 4)
  })

  it('stays within a closed line and covers a cell of its rim', () => {
    for (let step = 100; step <= 200; step += 1) {
      for (const [column, row] of [[step, 100], [step, 200], [100, step], [200, step]] as const) paint(column, row, [30, 30, 30, 255])
    }
    const inside = flood(cells, sheet, 150, 150)
    const runs = runsOf(inside)
    expect([...spans({ colour: 0, runs })]).toEqual([
      [101, 100, 99],
      ...Array.from({ length: 99 }, (_, index) => [100, 101 + index, 101]),
      [101, 200, 99],
    ])
  })

  it('covers the whole of an empty paper, in as many runs as it has rows', () => {
    const runs = runsOf(flood(cells, sheet, 3, 990))
    expect(runs.length).toBe(CELL_ROWS)
    expect(runs.every(([gap, length]) => gap === 0 && length === CELL_COLUMNS)).toBe(true)
  })

  it('finds its way round corners', () => {
    // A spiral of one wall: everything outside of the wall hangs together.
    let walls = 0
    for (let row = 2; row < CELL_ROWS - 2; row += 4) {
      for (let column = row % 8 === 2 ? 2 : 0; column < CELL_COLUMNS - (row % 8 === 2 ? 0 : 2); column += 1) {
        paint(column, row, [200, 0, 0, 255])
        paint(column, row + 1, [200, 0, 0, 255])
        walls += 2
      }
    }
    const covered = flood(cells, sheet, 0, 0).reduce((sum, cell) => sum + cell, 0)
    // Each wall is two cells thick and its rim is covered from both sides.
    expect(covered).toBe(CELL_COLUMNS * CELL_ROWS)
    expect(walls).toBeGreaterThan(1000)
  })

  it('simplifies what would be too much for one operation', () => {
    const inside = new Uint8Array(CELL_COLUMNS * CELL_ROWS)
    for (let cell = 0; cell < inside.length; cell += 2) inside[cell] = 1
    const runs = runsOf(inside)
    expect(runs.length).toBeLessThanOrEqual(MOST_RUNS)
    expect(runs.length).toBeGreaterThan(0)
    const fill: Fill = { colour: 0, runs }
    for (const [column, , length] of spans(fill)) expect(column + length).toBeLessThanOrEqual(CELL_COLUMNS)
  })
})

describe('Pen', () => {
  let batches: { id: number; points: Point[] }[]
  let ended: number[]
  let dropped: number[]
  let sensitive: boolean
  let pen: Pen
  const touch = (x: number, y = 0, at = x / 100, pressure: number | null = null): Touch => ({ x, y, at, pressure })
  const stroke = (from: number, count: number): Touch[] => Array.from({ length: count }, (_, index) => touch(from + index * 20))
  beforeEach(() => {
    batches = []
    ended = []
    dropped = []
    sensitive = true
    const sink: PenSink = {
      points: (id, _ink, points) => batches.push({ id, points }),
      end: (id) => ended.push(id),
      cancel: (id) => dropped.push(id),
    }
    pen = new Pen(sink, () => sensitive)
  })
  const all = (): Point[] => batches.flatMap(({ points }) => points)

  it('hands over each point once, in batches, and ends where the pointer was', () => {
    pen.begin(ink, touch(0))
    pen.extend(stroke(20, 5))
    pen.flush()
    pen.flush()
    pen.extend(stroke(200, 30))
    pen.end()
    expect(batches.length).toBe(2)
    expect(new Set(batches.map(({ id }) => id)).size).toBe(1)
    expect(ended).toEqual([batches[0]?.id])
    expect(all().at(-1)?.x).toBe(780)
    const xs = all().map(({ x }) => x)
    expect(xs).toEqual(xs.toSorted((a, b) => a - b))
  })

  it('leaves out points that hardly move', () => {
    pen.begin(ink, touch(5))
    pen.extend([touch(5, 0, 10), touch(6, 0, 20), touch(7, 0, 30)])
    pen.end()
    expect(all().length).toBeLessThanOrEqual(2)
  })

  it('is thinner when it is fast, and even when that is switched off', () => {
    const pressures = (ms: number): number | undefined => {
      batches = []
      pen.begin(ink, touch(0, 0, 0))
      pen.extend(Array.from({ length: 30 }, (_, index) => touch((index + 1) * 100, 0, (index + 1) * ms)))
      pen.end()
      return all().at(-2)?.pressure
    }
    expect(pressures(4)).toBeLessThan(100)
    expect(pressures(40)).toBeGreaterThan(128)
    sensitive = false
    expect(pressures(4)).toBe(128)
  })

  it('takes the pressure of a device that has some', () => {
    pen.begin(ink, touch(0, 0, 0, 1))
    pen.extend(Array.from({ length: 30 }, (_, index) => touch(index * 100, 0, index * 10, 0.1)))
    pen.end()
    expect(all()[0]?.pressure).toBe(255)
    expect(all().at(-1)?.pressure).toBeLessThan(60)
  })

  it('shows where it will be, on the way it goes, and no further than a little', () => {
    pen.begin(ink, touch(0, 5000, 0))
    pen.extend(Array.from({ length: 20 }, (_, index) => touch((index + 1) * 60, 5000, (index + 1) * 8)))
    const [here, ahead] = pen.tail()
    expect(here).toMatchObject({ x: 1200, y: 5000 })
    expect(ahead?.x).toBeGreaterThan(1220)
    expect(ahead?.x).toBeLessThan(1320)
    pen.end()
    expect(pen.tail()).toEqual([])
    expect(all().at(-1)?.x).toBe(1200)
  })

  it('believes the system where it says what is coming, within bounds, and commits none of it', () => {
    pen.begin(ink, touch(0, 5000, 0))
    pen.extend([touch(60, 5000, 8)], [touch(100, 5040, 14), touch(160, 5100, 19), touch(900, 5000, 15), touch(200, 5200, 60)])
    expect(pen.tail().map(({ x, y }) => [x, y])).toEqual([[60, 5000], [100, 5040], [160, 5100]])
    pen.extend([touch(120, 5000, 16)])
    expect(pen.tail().every(({ y }) => y === 5000)).toBe(true)
    pen.end()
    expect(all().every(({ y }) => y === 5000)).toBe(true)
  })

  it('splits long batches and long strokes, which go on from the same place', () => {
    pen.begin(ink, touch(0))
    pen.extend(Array.from({ length: STROKE_POINTS + 400 }, (_, index) => touch((index % 2) * 900, (index * 2) % 10000, index * 50)))
    pen.end()
    expect(Math.max(...batches.map(({ points }) => points.length))).toBeLessThanOrEqual(BATCH_POINTS)
    expect(ended.length).toBe(2)
    const [first, second] = ended.map((id) => batches.filter((batch) => batch.id === id).flatMap(({ points }) => points))
    expect(first?.length).toBe(STROKE_POINTS)
    expect(second?.[0]).toEqual(first?.at(-1))
  })

  it('uses an id once, and ends nothing twice', () => {
    pen.begin(ink, touch(0))
    pen.begin(ink, touch(900))
    pen.end()
    pen.end()
    pen.extend([touch(3)])
    pen.flush()
    pen.begin(ink, touch(1))
    pen.cancel()
    pen.end()
    expect(ended.length).toBe(2)
    expect(new Set([...ended, ...dropped]).size).toBe(3)
  })
})

describe('Hand', () => {
  let said: string[]
  let choice: Choice
  let hand: Hand
  const report = (pointerType: string, clientX: number, more: Partial<Report> = {}): Report => ({
    pointerId: pointerType === 'touch' ? 2 : 1,
    pointerType,
    button: 0,
    buttons: 1,
    clientX,
    clientY: 100,
    pressure: 0.5,
    shiftKey: false,
    timeStamp: clientX,
    ...more,
  })
  beforeEach(() => {
    said = []
    choice = { tool: 'pen', colour: 7, size: 80, pressure: true, paint: (colour) => said.push(`paint ${colour}`) }
    const sink: Sink = {
      points: (_id, { colour, fades }) => said.push(`points ${colour}${fades ? ' fading' : ''}`),
      shape: (_id, { form, to }) => said.push(`${form} ${to.x},${to.y}`),
      end: () => said.push('end'),
      cancel: () => said.push('cancel'),
      fill: () => said.push('fill'),
      cursor: ({ x }) => said.push(`cursor ${x}`),
    }
    const surface = {
      box: () => ({ left: 0, top: 0, width: 1600, height: 1000 }),
      colourAt: () => 99,
      fillFrom: () => ({ colour: 1, runs: [[0, 1] as [number, number]] }),
    }
    hand = new Hand(sink, surface, choice)
  })

  it('draws with what is chosen, and with one pointer at a time', () => {
    expect(hand.down(report('mouse', 10))).toBe(true)
    expect(hand.down(report('touch', 20))).toBe(false)
    hand.move(report('mouse', 400))
    hand.up(report('mouse', 400))
    expect(said).toEqual(['points 7', 'end'])
    expect(hand.down(report('mouse', 10, { button: 2 }))).toBe(false)
  })

  it('says where it is before the repaint, but not with every report of a fast pointer', () => {
    hand.down(report('mouse', 10))
    for (let at = 20; at <= 40; at += 1) hand.move(report('mouse', at * 10, { timeStamp: at }))
    expect(said).toEqual(['points 7', 'points 7', 'points 7'])
    hand.flush()
    expect(said.length).toBe(4)
  })

  it('uses every report that came between two frames', () => {
    hand.down(report('mouse', 10))
    hand.move({ ...report('mouse', 500), getCoalescedEvents: () => [200, 300, 400, 500].map((x) => report('mouse', x)) })
    expect(hand.tail()?.points.length).toBeGreaterThan(0)
    hand.flush()
    expect(said).toEqual(['points 7'])
  })

  it('ignores the hand that holds a pen, and takes back what it began', () => {
    hand.down(report('touch', 10))
    hand.down(report('pen', 20))
    expect(said).toEqual(['cancel'])
    expect(hand.down(report('touch', 30))).toBe(false)
    hand.up(report('pen', 40))
    expect(hand.down(report('touch', 600))).toBe(false)
    expect(hand.down(report('touch', 2000))).toBe(true)
  })

  it('rubs out with the other end of a pen', () => {
    hand.down(report('pen', 10, { button: 5, buttons: 32 }))
    hand.up(report('pen', 10))
    expect(said).toEqual(['points null', 'end'])
  })

  it('drags shapes, square with shift, and drops one that is taken away', () => {
    choice.tool = 'rectangle'
    hand.down(report('mouse', 100))
    hand.move(report('mouse', 300, { clientY: 150 }))
    hand.move(report('mouse', 300, { clientY: 150, shiftKey: true }))
    hand.up(report('mouse', 300))
    hand.down(report('touch', 5000, { clientX: 100 }))
    hand.cancel()
    expect(said).toEqual(['rectangle 1000,1000', 'rectangle 3000,1500', 'rectangle 3000,3000', 'end', 'rectangle 1000,1000', 'cancel'])
  })

  it('fills, picks, points and tells where it is', () => {
    choice.tool = 'fill'
    hand.down(report('mouse', 1))
    choice.tool = 'pipette'
    hand.down(report('mouse', 1))
    choice.tool = 'pointer'
    hand.down(report('mouse', 1))
    hand.up(report('mouse', 1))
    hand.move(report('mouse', 320))
    expect(said).toEqual(['fill', 'paint 99', 'points 7 fading', 'end', 'cursor 3200'])
  })
})

const insert = (seq: number, kind: OpKind, { author = 0, live = 0, above = 0 } = {}): ItemChange => {
  const op: Op = { id: { author, seq }, time: seq, live, kind }
  return { change: 'insert', op, above }
}
const mark = (points: Point[]): OpKind => ({ stroke: { colour: 1, size: 80, points } })
const seqs = (model: PaperModel): number[] => model.items.map(({ op }) => op.id.seq)

describe('PaperModel', () => {
  let model: PaperModel
  let changes: Change[]
  beforeEach(() => {
    model = new PaperModel()
    changes = []
    model.watch((change) => changes.push(change))
  })

  it('keeps own ink wet until its mark comes back', () => {
    model.ownPoints(7, ink, run(100, 3), 0)
    model.ownEnd(7, 10)
    model.change([insert(1, mark(run(500, 3)), { live: 7, author: 1 })])
    expect(model.wet().length).toBe(1)
    model.change([insert(2, mark(run(100, 3)), { live: 7 })])
    expect(model.wet()).toEqual([])
    expect(changes.at(-1)).toEqual({ from: 1, dried: true })
  })

  it('keeps the list as the session keeps it', () => {
    model.change([insert(1, mark([])), insert(2, mark([])), insert(9, mark([]), { above: 1 })])
    expect(seqs(model)).toEqual([1, 9, 2])
    model.change([{ change: 'show', id: { author: 0, seq: 9 }, shown: false }])
    expect(changes.at(-1)).toEqual({ from: 1 })
    expect(model.items[1]?.shown).toBe(false)
    model.change([{ change: 'freeze', count: 2 }])
    expect(seqs(model)).toEqual([2])
    expect(changes.at(-1)).toEqual({ frozen: 2 })
    // What does not fit a list that began later is left out.
    model.change([{ change: 'show', id: { author: 1, seq: 50 }, shown: true }, insert(3, mark([]), { above: 70 })])
    expect(seqs(model)).toEqual([3, 2])
  })

  it('begins anew from the whole paper, and keeps ink that is not on it', () => {
    model.ownPoints(1, ink, run(100, 3), 0)
    model.ownPoints(2, ink, run(900, 3), 0)
    const item: Item = { op: { id: { author: 1, seq: 1 }, time: 1, live: 1, kind: mark(run(100, 3)) }, shown: true }
    model.apply({ event: 'paper', own: 1, ground: null, items: [item] }, 5)
    expect(seqs(model)).toEqual([1])
    expect(model.wet().length).toBe(1)
    expect(changes.at(-1)).toEqual({ from: 0, dried: true })
  })

  it('puts the points of the peer where they belong, whatever is repeated or lost', () => {
    const say = (from: number, points: Point[]): void => model.apply({ event: 'peer_ink', stroke: 3, ink, from, points }, 0)
    const points = run(0, 12)
    say(0, points.slice(0, 4))
    say(8, points.slice(8, 12))
    const wet = model.wet()[0]
    if (wet?.kind !== 'stroke') throw new Error('no stroke')
    expect(wet.points.filter(Boolean).length).toBe(8)
    wet.settled = 6
    say(2, points.slice(2, 10))
    expect(wet.points).toEqual(points)
    expect(wet.settled).toBe(0)
    model.change([insert(1, mark(points), { author: 1, live: 3 })])
    expect(model.wet()).toEqual([])
  })

  it('shows the shapes of the peer while they are dragged, and takes back what is dropped', () => {
    const shape: Shape = { form: 'line', colour: 1, size: 20, from: { x: 0, y: 0 }, to: { x: 9, y: 9 } }
    model.apply({ event: 'peer_shape', stroke: 4, shape }, 0)
    expect(model.wet()).toMatchObject([{ kind: 'shape' }])
    model.apply({ event: 'peer_dropped', stroke: 4 }, 0)
    expect(model.wet()).toEqual([])
  })

  it('is not filled without end by a peer', () => {
    for (let from = 0; from < 65536; from += 64) model.apply({ event: 'peer_ink', stroke: 3, ink, from, points: run(0, 64) }, 0)
    const wet = model.wet()[0]
    expect(wet?.kind === 'stroke' && wet.points.length).toBe(4096)
    for (let stroke = 0; stroke < 500; stroke += 1) model.apply({ event: 'peer_ink', stroke, ink, from: 0, points: run(0, 4) }, 0)
    expect(model.wet().length).toBeLessThanOrEqual(12)
  })

  it('lets ink dry up that nobody has claimed, and ink for pointing fade', () => {
    model.ownPoints(1, ink, run(0, 3), 0)
    model.age(60_000)
    expect(model.wet().length).toBe(1)
    model.ownEnd(1, 60_000)
    model.apply({ event: 'peer_ink', stroke: 3, ink, from: 0, points: run(0, 3) }, 60_000)
    model.apply({ event: 'peer_ink', stroke: 4, ink: { ...ink, fades: true }, from: 0, points: run(0, 3) }, 60_000)
    model.age(61_900)
    expect(model.wet().length).toBe(3)
    model.age(62_100)
    expect(model.wet().length).toBe(2)
    model.age(64_000)
    expect(model.wet().length).toBe(1)
    model.age(90_000)
    expect(model.wet()).toEqual([])
  })
})

describe('SoloPaper', () => {
  const drawAt = (solo: SoloPaper, id: number, x: number): void => {
    solo.sink.points(id, ink, run(x, 2))
    solo.sink.points(id, ink, run(x + 2, 2))
    solo.sink.end(id)
  }
  const shown = (solo: SoloPaper): number[] => {
    const clear = solo.model.items.findLastIndex(({ op, shown }) => shown && op.kind === 'clear')
    return solo.model.items.slice(clear + 1).flatMap(({ op, shown }) => (shown ? [op.id.seq] : []))
  }

  it('takes marks and clears back, and brings them again', () => {
    const solo = new SoloPaper()
    drawAt(solo, 1, 100)
    drawAt(solo, 2, 200)
    expect(solo.model.items[0]?.op.kind).toMatchObject({ stroke: { points: { length: 4 } } })
    solo.clear()
    solo.clear()
    expect(shown(solo)).toEqual([])
    solo.undo()
    expect(shown(solo)).toEqual([1, 2])
    solo.undo()
    expect(shown(solo)).toEqual([1])
    solo.redo()
    expect(shown(solo)).toEqual([1, 2])
    solo.undo()
    drawAt(solo, 3, 300)
    solo.redo()
    expect(shown(solo)).toEqual([1, 4])
    solo.sink.end(99)
    expect(shown(solo)).toEqual([1, 4])
  })

  it('takes every kind of mark, and none of what is only for pointing or was dropped', () => {
    const solo = new SoloPaper()
    solo.sink.shape(1, { form: 'ellipse', colour: 1, size: 20, from: { x: 1, y: 1 }, to: { x: 9, y: 9 } })
    solo.sink.end(1)
    solo.sink.fill({ colour: 1, runs: [[0, 9]] })
    solo.sink.points(2, { ...ink, fades: true }, run(0, 3))
    solo.sink.end(2)
    solo.sink.points(3, ink, run(0, 3))
    solo.sink.cancel(3)
    solo.sink.points(4, { ...ink, colour: null }, run(0, 3))
    solo.sink.end(4)
    expect(solo.model.items.map(({ op }) => Object.keys(op.kind)[0])).toEqual(['shape', 'fill', 'stroke'])
  })

  it('stays small however long one waits', () => {
    const solo = new SoloPaper()
    for (let id = 1; id <= 2000; id += 1) drawAt(solo, id, 100)
    expect(solo.model.items.length).toBeLessThanOrEqual(400)
    let steps = 0
    for (; solo.canUndo; steps += 1) solo.undo()
    expect(steps).toBe(solo.model.items.length)
  })
})

describe('tools', () => {
  it('puts down what cannot draw when a colour is chosen', () => {
    tools.choose('line')
    tools.choose('pipette')
    tools.paint(0x123456)
    expect([tools.tool, tools.colour, tools.free]).toEqual(['line', 0x123456, 0x123456])
    tools.choose('eraser')
    tools.paint(0x1f1b18)
    expect([tools.tool, tools.free]).toEqual(['pen', 0x123456])
  })

  it('grows and shrinks within what the wire takes', () => {
    tools.resize(99)
    expect(tools.size).toBe(600)
    tools.resize(-99)
    expect(tools.size).toBe(20)
    tools.resize(1)
    expect(tools.size).toBe(25)
  })
})
