import t from 'tap'
import {
  commonOffsets,
  controlLayouts,
  layoutFor,
  newestControlVersion,
  walPageSizeAt,
  type ControlLayout,
} from '../../../src/facts/decode/control-layouts.ts'

t.test('each release is found by its two version numbers', t => {
  for (const layout of controlLayouts) t.equal(layoutFor(layout), layout, layout.version)
  t.end()
})

t.test('a control version no release has is not known', t => {
  for (const controlVersion of [0, 937, 941, 1001, 1301, 1901, 1903, 1904, 1906, 2000]) {
    t.equal(layoutFor({ controlVersion, catalogVersion: 202_307_071 }), null, `${controlVersion}`)
  }
  t.end()
})

t.test('a catalog version no release has is overruled by the control version', t => {
  const cases: readonly (readonly [number, number, string])[] = [
    [942, 0, '9.4'],
    [942, 201_405_111, '9.4'],
    [942, 201_506_282, '9.5'],
    [942, 201_510_052, '9.5'],
    [1300, 202_406_171, '16'],
    [1800, 202_505_071, '18'],
    [1902, 0xffff_ffff, '19beta'],
    [1905, 202_610_011, '19'],
    [1905, 202_610_062, '19'],
  ]
  for (const [controlVersion, catalogVersion, version] of cases) {
    const layout = layoutFor({ controlVersion, catalogVersion })
    t.equal(layout?.version, version, `${controlVersion} with ${catalogVersion}`)
  }
  t.end()
})

t.test('the newest control version is that of the last row', t => {
  t.equal(newestControlVersion, 1905)
  t.equal(newestControlVersion, controlLayouts.at(-1)?.controlVersion)
  t.end()
})

t.test('releases are in order, each of them once', t => {
  const catalogVersions = controlLayouts.map(({ catalogVersion }) => catalogVersion)
  t.strictSame(
    [...new Set(catalogVersions)].toSorted((one, other) => one - other),
    catalogVersions,
  )
  t.equal(new Set(controlLayouts.map(({ version }) => version)).size, controlLayouts.length)
  t.end()
})

/** First byte and length of each field that is read. */
const extents = (layout: ControlLayout): readonly (readonly [number, number])[] => [
  [commonOffsets.systemIdentifier, 8],
  [commonOffsets.controlVersion, 4],
  [commonOffsets.catalogVersion, 4],
  [commonOffsets.state, 4],
  [commonOffsets.modified, 8],
  [commonOffsets.checkpoint, 8],
  [layout.redo, 8],
  [layout.timeline, 4],
  [layout.checkpointTime, 8],
  [layout.minRecoveryPoint, 8],
  [layout.minRecoveryTimeline, 4],
  [walPageSizeAt(layout), 4],
  [layout.walSegmentSize, 4],
  [layout.checksumAt, 4],
]

for (const layout of controlLayouts) {
  t.test(`the fields of ${layout.version} are aligned, apart, and before the checksum`, t => {
    let end = 0
    for (const [at, length] of extents(layout)) {
      t.equal(at % length, 0, `${at} is aligned to ${length}`)
      t.ok(at >= end, `${at} is after ${end}`)
      end = at + length
    }
    t.ok(end <= 512, 'all within one sector')
    t.end()
  })
}
