import * as fc from 'fast-check'
import t from 'tap'
import { isSameProcess, majorVersion, walDirectory } from '../../../src/facts/decide/sightings.ts'
import { child, directory } from '../../harness/evidence.ts'
import { anyText } from '../../harness/foreign-text.ts'

t.test('the major version is what PG_VERSION begins with', async t => {
  t.equal(majorVersion(directory('18')), 18)
  t.equal(majorVersion(directory('10')), 10)
  t.equal(majorVersion(directory('9.6')), 9)
})

t.test('without a valid PG_VERSION there is no version', async t => {
  t.equal(majorVersion(directory(null)), null)
  t.equal(majorVersion(directory('devel')), null)
  t.equal(majorVersion({ kind: 'absent' }), null)
})

t.test('the folder of the log was renamed in 10', async t => {
  t.equal(walDirectory(directory('10')), 'pg_wal')
  t.equal(walDirectory(directory('9.6')), 'pg_xlog')
  t.equal(walDirectory(directory(null)), 'pg_wal')
})

t.test('a process is another one when its number has come round', async t => {
  t.ok(isSameProcess(child('startup', 4714), child('startup recovering', 4714)))
  t.notOk(isSameProcess(child('startup', 4714), child('startup', 4715)))
  t.notOk(isSameProcess(child('startup', 4714, 1), child('startup', 4714, 2)))
})

t.test('whatever PG_VERSION contains, the version is a number or null', async t => {
  const version = fc.oneof(
    anyText,
    fc.tuple(fc.nat(99), anyText).map(parts => parts.join('')),
  )
  const property = fc.property(version, text => {
    const major = majorVersion(directory(text))
    return major === null || Number.isInteger(major)
  })
  t.doesNotThrow(() => fc.assert(property))
})
