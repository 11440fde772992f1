/** The rooms of src and what they import from each other, drawn from the code as a page. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from './repository.ts'
import { importsOf, isRelative, list, open, read, roomOf, target } from './source-files.ts'

const layers = ['cli', 'serve', 'observe', 'facts'] as const
const sources = list('src').filter(path => path.endsWith('.ts'))
const rooms = [...new Set(sources.map(roomOf))].toSorted()

/** Rooms from which a file imports, types included. */
const roomsUsedBy = (path: string): readonly string[] =>
  importsOf(open(path)).filter(isRelative).map(target).map(roomOf)

export const importsOfRooms: ReadonlyMap<string, readonly string[]> = new Map(
  rooms.map(room => {
    const others = new Set(sources.filter(path => roomOf(path) === room).flatMap(roomsUsedBy))
    others.delete(room)
    return [room, [...others].toSorted()]
  }),
)

const usedBy = (room: string): readonly string[] => importsOfRooms.get(room) ?? []

/** Rooms that `room` imports from, directly or not; with itself where there is a circle. */
const reachedFrom = (room: string): ReadonlySet<string> => {
  const reached = new Set(usedBy(room))
  for (const next of reached) for (const further of usedBy(next)) reached.add(further)
  return reached
}

/** Each is reached from itself. */
export const roomsInCircles = (): readonly string[] =>
  rooms.filter(room => reachedFrom(room).has(room))

/** Imports that no other path of imports explains: the fewest arrows that tell the order. */
const arrowsOf = (room: string): readonly string[] =>
  usedBy(room).filter(to => !usedBy(room).some(other => other !== to && reachedFrom(other).has(to)))

/** The bold beginning of the README of a room. */
const titleOf = (room: string): string => {
  const path = `src/${room}/README.md`
  if (!existsSync(join(repositoryRoot(), path))) throw new Error(`${path} is missing`)
  const title = /^\*\*(.*)\.\*\*/m.exec(read(path))?.[1]
  if (title === undefined) throw new Error(`${path} has no title in bold`)
  return title
}

const nodeOf = (room: string): string => room.replace('/', '_')

const drawLayer = (layer: string): readonly string[] => [
  `  subgraph ${layer}`,
  ...rooms
    .filter(room => room.split('/')[0] === layer)
    .map(room => `    ${nodeOf(room)}["${room}<br><small>${titleOf(room)}</small>"]`),
  '  end',
]

const introduction = `\
# src

**The program, in four layers, and the programs that build it.** A layer imports from the layers
below it only: \`cli\` from all, \`serve\` and \`observe\` from \`facts\`, and \`facts\` from
nothing, not even from Node. Each layer has rooms, which are its folders. Rooms do not import each
other in a circle. The tests of a room are in the folder of the same name below \`test\`, and cover
it completely.

\`npm run fixtures -- structure\` makes this page from the code and from the first sentence of the
README of each room; a test compares it with them. The drawing has as few arrows as show the order
of the rooms: a direct import is left out if a path of other arrows leads to the same room.
`

export const printStructure = (): string => {
  const arrows = rooms.flatMap(room =>
    arrowsOf(room).map(to => `  ${nodeOf(room)} --> ${nodeOf(to)}`),
  )
  const drawing = ['```mermaid', 'flowchart TD', ...layers.flatMap(drawLayer), ...arrows, '```']
  const row = (room: string): string =>
    `| [\`${room}\`](${room}) | ${titleOf(room)} | ${usedBy(room).join(', ')} |`
  const build = '| [`build`](build) | Programs that build | |'
  const table = ['| room | what it is | imports from |', '|---|---|---|', build, ...rooms.map(row)]
  return [introduction, ...drawing, '', ...table, ''].join('\n')
}
