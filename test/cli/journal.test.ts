import t from 'tap'
import { leadsToJournal } from '../../src/cli/journal.ts'

const stream = { dev: 9, ino: 3141 }

t.test('the very stream that systemd named leads to the journal', async t => {
  t.equal(leadsToJournal(stream, '9:3141'), true)
})

t.test('a name inherited by a child whose output leads elsewhere does not', async t => {
  t.equal(leadsToJournal(stream, '9:31415'), false)
  t.equal(leadsToJournal(stream, '8:3141'), false)
})

t.test('without systemd there is no name', async t => {
  t.equal(leadsToJournal(stream, undefined), false)
  t.equal(leadsToJournal(stream, ''), false)
})
