import { join } from 'node:path'
import t from 'tap'
import { removeDeadSocket } from '../../src/serve/dead-socket.ts'
import { makeServerFolder } from '../harness/stand-in.ts'

// With sockets: see listening.test.ts.
t.test('what is not there cannot be removed', async t => {
  t.equal(await removeDeadSocket(join(makeServerFolder(t), 'none')), false)
})
