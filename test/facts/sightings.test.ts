import t from 'tap'
import { majorVersion } from '../../src/facts/sightings.ts'
import { directory } from '../harness/evidence.ts'

t.test('the major version is what PG_VERSION begins with', async t => {
  t.equal(majorVersion(directory('18')), 18)
  t.equal(majorVersion(directory('10')), 10)
  t.equal(majorVersion(directory('9.6')), 9)
})

t.test('without a PG_VERSION that says so there is no version', async t => {
  t.equal(majorVersion(directory(null)), null)
  t.equal(majorVersion(directory('devel')), null)
  t.equal(majorVersion({ kind: 'absent' }), null)
})
