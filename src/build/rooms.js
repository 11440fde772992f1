/**
 * Writes a file room.js into each folder of compiled unit tests, which loads all tests of that
 * folder. They run in one process: starting one takes longer than most tests.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const layers = ['facts', 'observe', 'serve', 'cli']

/** @param {string} folder with compiled tests of a layer or a room */
const writeRoom = folder => {
  const entries = readdirSync(folder, { withFileTypes: true })
  const imports = entries
    .map(({ name }) => name)
    .filter(name => name.endsWith('.test.js'))
    .toSorted()
    .map(name => `import './${name}'\n`)
  if (imports.length > 0) writeFileSync(join(folder, 'room.js'), imports.join(''))
  for (const entry of entries) if (entry.isDirectory()) writeRoom(join(folder, entry.name))
}

/** @param {string} tests folder with all compiled tests */
export const writeRooms = tests => {
  for (const layer of layers) writeRoom(join(tests, layer))
}
