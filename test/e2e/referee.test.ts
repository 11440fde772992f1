/**
 * The referee judged: whoever lies beside a real server is condemned, for the lie that it is, and
 * whoever tells the truth is not.
 */
import t from 'tap'
import { startLaggard, startParrot } from '../harness/liar.ts'
import { openArena } from '../truth/arena.ts'
import { bounds, isExcused, isOnlyLate, violations } from '../truth/bounds.ts'
import { crashAndRecover, watched } from '../truth/faults.ts'
import { judge, together, type Findings } from '../truth/judge.ts'
import { openMetronome } from '../truth/metronome.ts'
import type { Heard, Testimony } from '../truth/testimony.ts'
import { openTrial, probeUnderTest } from '../truth/trial.ts'
import { truthOf } from '../truth/truth.ts'

t.setTimeout(120_000)

const major = 16
const condemned = (found: Findings | undefined): string =>
  found === undefined ? 'never heard' : violations(found, bounds).join('\n')
/** On a busy machine who tells the truth may be late, as in a scenario that is played again. */
const condemnedFairly = (found: Findings | undefined, standstillMs: number): string => {
  const late = found && (isOnlyLate(found, bounds) || isExcused(found, bounds, standstillMs))
  return late === true ? '' : condemned(found)
}

t.test('beside a real server', async t => {
  const arena = await openArena(major)
  t.teardown(arena.close)
  const cluster = await arena.standby()
  t.teardown(cluster.destroy)
  const alwaysMaster = await startParrot('MASTER')
  const alwaysStandby = await startParrot('STANDBY')
  const honest: { ask: () => Promise<string> } = { ask: async () => '' }
  const late = await startLaggard(async () => honest.ask(), 200)
  for (const liar of [alwaysMaster, alwaysStandby, late]) t.teardown(liar.close)
  const trial = await openTrial({
    cluster,
    predecessorPort: null,
    others: [
      ['always MASTER', alwaysMaster.port],
      ['always STANDBY', alwaysStandby.port],
      ['late', late.port],
    ],
  })
  t.teardown(trial.close)
  honest.ask = trial.daemon().ask
  await trial.answers('STANDBY')
  await watched(300)

  // A lie is heard only by chance if the server is back at once, or the machine gives the liars,
  // which run in this process, no time to tell it.
  await t.test('crash restarts of a standby', async t => {
    const lies = [
      ['always MASTER', /MASTER while in recovery/],
      ['always MASTER', /MASTER while no client was served/],
      ['always STANDBY', /STANDBY while no client was served/],
      ['late', /STANDBY while no client was served/],
      ['late', /no answer while logins were accepted/],
    ] as const
    const heard = new Map(lies.map(([liar]) => [liar, '']))
    const unheard = (): readonly unknown[] =>
      lies.filter(([liar, lie]) => !lie.test(heard.get(liar) ?? ''))
    for (let crash = 0; crash < 5 && unheard().length > 0; crash += 1) {
      await trial.judgement()
      await arena.standstillMs()
      await crashAndRecover(cluster)
      await trial.answers('STANDBY')
      await watched(300)
      const found = await trial.judgement()
      for (const [liar, before] of heard)
        heard.set(liar, `${before}${condemned(found.get(liar))}\n`)
      t.equal(condemnedFairly(found.get(probeUnderTest), await arena.standstillMs()), '')
    }
    t.strictSame(unheard(), [])
  })

  await t.test('a promotion', async t => {
    // Who calls a standby a primary has to be heard while it still is one.
    await watched(300)
    await arena.standstillMs()
    await cluster.promote('pg_ctl')
    await trial.answers('MASTER')
    await watched(300)
    const found = await trial.judgement()
    t.match(condemned(found.get('always MASTER')), /^MASTER while in recovery/)
    t.match(condemned(found.get('always STANDBY')), /no MASTER for a new primary/)
    t.match(condemned(found.get('late')), /no MASTER for a new primary/)
    t.equal(condemnedFairly(found.get(probeUnderTest), await arena.standstillMs()), '')
  })
})

t.test('a suspended machine', async t => {
  const nothing = { primary: [], standby: [], nobody: [] }
  const right: Findings = {
    earlyPrimaryMs: 0,
    wrongPrimaryMs: 0,
    wrongStandbyMs: 0,
    wrongSilenceMs: 0,
    noticeMs: nothing,
    garbage: [],
    answers: 1,
  }
  const late = { ...right, wrongPrimaryMs: bounds.wrongRoleMs + 7 }
  t.equal(isExcused(late, bounds, 8), true, 'excuses who was late by less')
  t.equal(isExcused(late, bounds, 6), false, 'but not by more')
  t.equal(isExcused({ ...late, earlyPrimaryMs: 1 }, bounds, 1000), false, 'nor who ran ahead')
  t.equal(isExcused({ ...late, garbage: ['MASTERY'] }, bounds, 1000), false, 'nor other bytes')
  t.equal(isExcused(right, bounds, 1000), false, 'who was right needs no excuse')

  const noticed = (ms: number) => ({ ...right, noticeMs: { ...nothing, primary: [1, ms] } })
  t.equal(isOnlyLate(noticed(100), bounds), true, 'a new primary may be noticed late once')
  t.equal(isOnlyLate(noticed(101), bounds), false, 'but not twice as late')
  t.equal(isOnlyLate({ ...noticed(100), wrongStandbyMs: 6 }, bounds), false, 'nor beside an error')
  t.equal(isOnlyLate(noticed(50), bounds), false, 'and in time it is not late')
  t.equal(
    isOnlyLate({ ...noticed(100), wrongSilenceMs: 100 }, bounds),
    true,
    'and not answered for',
  )
  t.equal(isOnlyLate({ ...right, wrongSilenceMs: 101 }, bounds), false, 'by less than the bound')

  const metronome = await openMetronome()
  t.teardown(metronome.close)
  await metronome.standstillMs()
  const end = performance.now() + 200
  // The loop of this process is its own affair: the metronomes tick on.
  while (performance.now() < end);
  t.ok((await metronome.standstillMs()) < 200, 'a busy process is no machine that stands still')
})

/** An answer a millisecond, each of which took half of one. */
const everyMs = <Word>(from: number, words: readonly Word[]): readonly Heard<Word>[] =>
  words.map((said, index) => ({ askedAt: from + index, heardAt: from + index + 0.5, said }))
const repeated = <Word>(word: Word, times: number): readonly Word[] =>
  Array.from({ length: times }, () => word)

const noDeeds = { nobody: [], blinded: [] } as const
/** In recovery for 100 ms, then refusing for 100 ms, then a primary for 100 ms. */
const threeActs: Omit<Testimony, 'probes'> = {
  session: [
    ...everyMs(0, repeated('in recovery' as const, 100)),
    ...everyMs(100, repeated('lost' as const, 100)),
    ...everyMs(200, repeated('not in recovery' as const, 100)),
  ],
  logins: [
    ...everyMs(0, repeated('accepted' as const, 100)),
    ...everyMs(100, repeated('refused' as const, 100)),
    ...everyMs(200, repeated('accepted' as const, 100)),
  ],
}
const judged = (probe: readonly Heard<string>[]): Findings =>
  judge(probe, truthOf({ ...threeActs, probes: new Map() }, noDeeds))

t.test('on made-up testimony', async t => {
  const honest = judged(
    everyMs(0, [
      ...repeated('STANDBY', 100),
      ...repeated('refused', 100),
      ...repeated('MASTER', 100),
    ]),
  )
  t.strictSame(violations(honest, bounds), [])
  t.strictSame(honest.noticeMs, { primary: [0.5], standby: [], nobody: [0.5] })

  const slow = judged(
    everyMs(0, [...repeated('STANDBY', 120), ...repeated('', 140), ...repeated('MASTER', 40)]),
  )
  t.ok(slow.wrongStandbyMs > 18 && slow.wrongStandbyMs < 20)
  t.ok(slow.wrongSilenceMs > 57 && slow.wrongSilenceMs < 60)
  t.ok((slow.noticeMs.primary[0] ?? 0) > 59)

  const early = judged(everyMs(0, [...repeated('STANDBY', 90), ...repeated('MASTER', 210)]))
  t.ok(early.earlyPrimaryMs > 0)
  t.ok(early.wrongPrimaryMs > 97)

  t.match(violations(judged(everyMs(0, ['MASTERS'])), bounds), [/an invalid answer: "MASTERS"/])
  t.match(violations(judged([]), bounds), [/not a single answer/])
  t.equal(together([honest, slow]).wrongStandbyMs, slow.wrongStandbyMs)
})

t.test('what no witness could observe is not judged', async t => {
  const testimony: Testimony = {
    session: everyMs(0, repeated('lost', 300)),
    logins: everyMs(0, repeated('refused' as const, 300)).filter(
      ({ askedAt }) => askedAt < 100 || askedAt > 200,
    ),
    probes: new Map(),
  }
  const { roles } = truthOf(testimony, noDeeds)
  t.match(roles, [
    { role: 'nobody', from: 0.5, to: 99 },
    { role: 'nobody', from: 201.5, to: 299 },
  ])
  t.equal(roles.length, 2)
})

t.test(
  'a missing answer is no fault while the probe is blinded or the server was killed',
  async t => {
    const silent = everyMs(0, repeated('', 300))
    const testimony: Testimony = {
      session: everyMs(0, repeated('not in recovery', 300)),
      logins: everyMs(0, repeated('accepted', 300)),
      probes: new Map(),
    }
    t.ok(judge(silent, truthOf(testimony, noDeeds)).wrongSilenceMs > 290)
    const blinded = { nobody: [], blinded: [{ from: 0, to: 300 }] }
    t.equal(judge(silent, truthOf(testimony, blinded)).wrongSilenceMs, 0)
    const killed = { nobody: [{ from: 100, to: 200 }], blinded: [] }
    const parrot = judge(everyMs(0, repeated('MASTER', 300)), truthOf(testimony, killed))
    t.ok(parrot.wrongPrimaryMs > 97)
    t.equal(parrot.earlyPrimaryMs, 0)
  },
)
