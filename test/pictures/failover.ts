/** The failover as lanes of time, and how long each program was wrong. */
import assert from 'node:assert'
import { wireWords } from '../../src/serve/role/reply.ts'
import { judge, max, together, type Findings } from '../truth/judge.ts'
import type { Heard } from '../truth/testimony.ts'
import { predecessor, probeUnderTest } from '../truth/trial.ts'
import { truthOf, type Span } from '../truth/truth.ts'
import type { FailoverRun } from './failover-run.ts'
import type { Bar, Group, Lane, Story, Table } from './lanes.ts'

const programs = [probeUnderTest, predecessor]

type Look = Pick<Bar, 'kind' | 'said' | 'shorter'>
/** `isBack`: the old primary has been started again. */
type Show = (said: string, isBack: boolean) => Look

const down: Look = { kind: 'nothing', said: 'down' }
const replaced: Look = { kind: 'nothing', said: 'primary, but replaced', shorter: ['replaced'] }

const wrongRole = (said: string): Look => ({
  kind: 'wrong',
  said: `${said}: wrong`,
  shorter: [said, 'wrong'],
})

const ofSession =
  (isOld: boolean): Show =>
  (said, isBack) => {
    if (said === 'in recovery') return { kind: 'standby', said: 'standby' }
    if (said !== 'not in recovery') return down
    return isOld && isBack ? replaced : { kind: 'primary', said: 'primary' }
  }

const ofProbe =
  (isOld: boolean): Show =>
  (said, isBack) => {
    const isRole = said === wireWords.primary || said === wireWords.standby
    if (isRole && isOld && isBack) return wrongRole(said)
    if (said === wireWords.standby) return { kind: 'standby', said }
    if (said !== wireWords.primary) return { kind: 'nothing', said: 'closed' }
    return { kind: 'primary', said }
  }

const ofRoute: Show = (said, isBack) => {
  if (!['s1', 's2'].includes(said)) return { kind: 'nothing', said: 'none' }
  return isBack && said === 's1' ? { kind: 'wrong', said: 's1' } : { kind: 'primary', said }
}

/**
 * Neighbours that look alike are one bar. As for the referee, a role of the server begins when it
 * is heard, and that of a probe with the first question that is answered so.
 */
const barsOf = (
  heard: readonly Heard<string>[],
  show: Show,
  run: FailoverRun,
  begin: 'askedAt' | 'heardAt' = 'askedAt',
): readonly Bar[] => {
  const { beganAt, returnedAt, endedAt } = run
  const bars: Bar[] = []
  for (const answer of heard) {
    const { askedAt, heardAt, said } = answer
    if (heardAt < beganAt || askedAt > endedAt) continue
    const look = show(said, askedAt > returnedAt)
    const [last, at] = [bars.at(-1), Math.max(0, answer[begin] - beganAt)]
    if (last?.said === look.said) continue
    if (last !== undefined) bars[bars.length - 1] = { ...last, to: at }
    bars.push({ ...look, from: at, to: endedAt - beganAt })
  }
  return bars
}

const groupsOf = (run: FailoverRun): readonly Group[] => {
  const lane = (name: string, heard: readonly Heard<string>[] | undefined, show: Show): Lane => ({
    name,
    bars: barsOf(heard ?? [], show, run),
  })
  return [
    ...(['s1', 's2'] as const).map((server): Group => {
      const { session, probes } = run.servers[server]
      const isOld = server === 's1'
      return {
        name: isOld ? 's1, the primary at first' : 's2, its standby at first',
        lanes: [
          { name: 'the server', bars: barsOf(session, ofSession(isOld), run, 'heardAt') },
          ...programs.map(name => lane(name, probes.get(name), ofProbe(isOld))),
        ],
      }
    }),
    {
      name: 'HAProxy sends writers to, going by',
      lanes: programs.map(name => lane(name, run.routes.get(name), ofRoute)),
    },
  ]
}

/** The rules of the referee: from its return on the old primary is none, whatever it says. */
const judged = (run: FailoverRun, server: 's1' | 's2'): ReadonlyMap<string, Findings> => {
  const testimony = run.servers[server]
  const replaced: Span = { from: run.returnedAt, to: run.endedAt }
  const truth = truthOf(testimony, { nobody: server === 's1' ? [replaced] : [], blinded: [] })
  return new Map(programs.map(name => [name, judge(testimony.probes.get(name) ?? [], truth)]))
}

/** Of pg-replstatus, for the bounds of the referee. */
export const findingsOf = (run: FailoverRun): Findings =>
  together((['s1', 's2'] as const).flatMap(server => judged(run, server).get(probeUnderTest) ?? []))

const wrongMs = (bars: readonly Bar[]): number =>
  bars.filter(({ kind }) => kind === 'wrong').reduce((sum, { from, to }) => sum + to - from, 0)

const whole = (ms: number): string => ms.toFixed(0)
const exact = (ms: number): string => (ms < 0.05 ? '0' : ms.toFixed(1))

const tableOf = (run: FailoverRun): Table => {
  const next = judged(run, 's2')
  const answered = programs.map(name =>
    wrongMs(barsOf(run.servers.s1.probes.get(name) ?? [], ofProbe(true), run)),
  )
  const misled = programs.map(name => wrongMs(barsOf(run.routes.get(name) ?? [], ofRoute, run)))
  // What the words beside the picture say.
  for (const [ours = NaN, theirs = NaN] of [answered, misled]) {
    assert.equal(ours, 0, 'with pg-replstatus no writer is sent to the old primary')
    assert(theirs > 0, 'with bgw_replstatus it gets writers again')
  }
  return {
    heads: programs,
    rows: [
      [
        `s2 is ${wireWords.primary}, after it became primary`,
        ...programs.map(name => exact(max(next.get(name)?.noticeMs.primary ?? []))),
      ],
      ['s1 is answered for after its return', ...answered.map(whole)],
      ['HAProxy sends writers to s1 after its return', ...misled.map(whole)],
    ],
  }
}

export const storyOf = (run: FailoverRun): Story => {
  const at = (ms: number): number => ms - run.beganAt
  const marks = [
    { at: at(run.crashedAt), what: 's1 crashes' },
    { at: at(run.promotedAt), what: 's2 is promoted' },
    { at: at(run.returnedAt), what: 's1 is started again, as the primary that it was' },
  ]
  const table = tableOf(run)
  const deeds = marks.map(({ at, what }) => `After ${whole(at)} ms ${what}.`)
  const figures = table.rows.map(
    ([what, ours = '', theirs = '']) =>
      `${what}: by ${probeUnderTest} ${ours} ms, by ${predecessor} ${theirs} ms.`,
  )
  return {
    title: 'A failover, and an old primary that comes back',
    description: [
      ...deeds,
      ...figures,
      `The picture ends after ${whole(at(run.endedAt))} ms.`,
    ].join(' '),
    groups: groupsOf(run),
    marks,
    wrong: 'a role for a server that was replaced, or writers sent to it',
    table,
    lengthMs: at(run.endedAt),
  }
}
