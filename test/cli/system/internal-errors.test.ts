import { EventEmitter } from 'node:events'
import t from 'tap'
import { version } from '../../../src/cli/output/version.ts'
import {
  ignoreClosedReaders,
  catchInternalErrors,
  readerGone,
  type ErrorSource,
} from '../../../src/cli/system/internal-errors.ts'

/** What is said and the exit codes when nothing catches this. */
const raise = (error: unknown, linePrefix = '') => {
  const codes: number[] = []
  const exit = (code: number): void => void codes.push(code)
  const source = Object.assign(new EventEmitter(), { exit })
  let said = ''
  const release = catchInternalErrors(source as unknown as ErrorSource, {
    linePrefix,
    err: text => {
      said += text
    },
  })
  source.emit('uncaughtException', error)
  release()
  return { said, codes, listeners: source.eventNames() }
}

const hint = `hint: This is a bug in pg-replstatus ${version}. Report it with this line.\n`

t.test('an exception ends the process with one line, a hint and exit code 3', async t => {
  const { said, codes, listeners } = raise(new TypeError('x is not a function\nof two lines'))
  t.strictSame(codes, [3])
  t.strictSame(listeners, [], 'until it is released')
  const [line = '', ...rest] = said.split(/(?<=\n)/)
  t.match(line, /^pg-replstatus: internal error: TypeError: x is not a function of two lines/)
  t.match(line, /internal-errors\.test\.\w+:\d+:\d+/)
  t.strictSame(rest, [hint])
})

t.test('so does what is thrown without a stack', async t => {
  const bare = Object.assign(new Error('bare'), { stack: undefined })
  for (const [thrown, text] of [
    [bare, 'Error: bare'],
    ['a string', 'a string'],
    [null, 'null'],
    ['', ''],
  ] as const) {
    t.strictSame(raise(thrown), {
      said: `pg-replstatus: internal error: ${text}\n${hint}`,
      codes: [3],
      listeners: [],
    })
  }
})

t.test('what it quotes does nothing to a terminal', async t => {
  t.match(raise('a\x1b[2J\u202e').said, String.raw`internal error: a\u001b[2J\u202e`)
})

t.test('in the journal both lines are errors', async t => {
  t.equal(raise('x', '<3>').said, `<3>pg-replstatus: internal error: x\n<3>${hint}`)
})

t.test('an output whose reader is gone is no error', async t => {
  const stream = new EventEmitter()
  ignoreClosedReaders([stream as unknown as NodeJS.WritableStream])
  t.equal(stream.emit('error', new Error('EPIPE')), true, 'somebody listens')
})

t.test('that a reader is gone can be waited for', async () => {
  const stream = new EventEmitter()
  const gone = readerGone(stream as unknown as NodeJS.WritableStream)
  stream.emit('error', new Error('EPIPE'))
  await gone
})
