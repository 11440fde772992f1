/**
 * The example of the README, running: three PostgreSQL servers, a pg-replstatus beside each, and
 * haproxy in front of them.
 *
 *   npm run demo          promotes when a key is pressed
 *   npm run demo:script   promotes once by itself, brings the old primary back, and ends
 *
 * With --without-peers the members do not ask each other, and rows are lost.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { byItself, readArguments, type Refusal } from './arguments.ts'
import { createClosers } from './closers.ts'
import { endAsked, leave, type End } from './end.ts'
import { fetchServer } from './fetch.ts'
import { createFolder } from './folder.ts'
import { introduction, serverUserNote } from './introduction.ts'
import { createJournal, type Tell } from './journal.ts'
import { obeyKeys, openKeyboard, type Keyboard } from './keys.ts'
import { portsInUse } from './places.ts'
import { runScript } from './script.ts'
import { openStage, type Stage } from './stage.ts'

/** As pg-replstatus itself: could not start. */
const exitNotStarted = 3
/** How long a start that was cut short may take to tidy up behind itself. */
const tidyMsMax = 5000

const print = (text: string): void => void process.stdout.write(text)
const printError = (text: string): void => void process.stderr.write(text)

const refuse = ({ message, hint }: Refusal): number => {
  printError(`demo: ${message}\nhint: ${hint}\n`)
  return exitNotStarted
}

/** Resolves to the exit code when there is nothing more to do, which with a keyboard is never. */
const act = async (stage: Stage, keyboard: Keyboard | null, tell: Tell): Promise<number> => {
  if (keyboard === null) {
    print(await runScript(stage, tell))
    return 0
  }
  print(introduction(stage))
  obeyKeys(stage, keyboard, tell)
  return new Promise(() => undefined)
}

const main = async (): Promise<End['exit']> => {
  const wishes = readArguments(process.argv.slice(2), process.env)
  if ('hint' in wishes) return refuse(wishes)
  const taken = await portsInUse()
  if (taken.length > 0) {
    return refuse({
      message: `ports already in use: ${taken.join(', ')}`,
      hint: `is another demo running? ss -ltnp "sport = :${taken[0]}" shows the process`,
    })
  }
  const keyboard = wishes.script ? null : openKeyboard(process.stdin)
  if (keyboard !== null && !process.stdin.isTTY) {
    printError(`demo: keys are read from a pipe, not from a terminal (${byItself})\n`)
  }
  const asked = endAsked(keyboard)
  const folder = await createFolder()
  const closers = createClosers()
  const journal = createJournal(process.stdout, () => new Date())
  let ending = false
  const tell: Tell = line => {
    if (!ending) journal(line)
  }

  const start = async (): Promise<Stage> => {
    await fetchServer({ print, asked })
    print(`Starting three servers${serverUserNote()} in ${folder.path}.\n`)
    return openStage({ folder, tell, closers, withPeers: wishes.withPeers })
  }
  const started = start()
  let shown = false
  const acted = async (): Promise<number> => {
    const stage = await started
    shown = true
    return act(stage, keyboard, tell)
  }
  try {
    const end = await Promise.race([acted(), asked])
    if (typeof end === 'number') return end
    if (end.unattended && !shown) {
      return refuse({ message: `${end.why}; nothing was shown`, hint: byItself })
    }
    print(`${end.why}: stopping everything\n`)
    return end.exit
  } catch (failure) {
    printError(`demo: ${failure instanceof Error ? failure.message : String(failure)}\n`)
    return 1
  } finally {
    ending = true
    await closers.close()
    await Promise.race([started.catch(() => undefined), sleep(tidyMsMax)])
    await folder.remove()
  }
}

leave(await main())
