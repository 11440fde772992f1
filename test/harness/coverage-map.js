import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A source file is covered by the tests of its room alone: those in test/facts/decode/ answer for
 * src/facts/decode/. So do their compiled forms in .build, and the file there that loads them all.
 * What else they load, and tests of the whole program, cover nothing.
 *
 * @param {string} testFile path below the top of the repository
 */
export default function coverageMap(testFile) {
  const inRoom =
    /^(\.build\/)?test\/((?:facts|observe|serve|cli)\b.*)\/(?:room|[^/]+\.test)(\.[jt]s)$/
  const [matched, folder = '', room = '', ending = ''] = inRoom.exec(testFile) ?? []
  // Null means nothing; an empty list would mean all there is.
  if (matched === undefined) return null
  const sources = `${folder}src/${room}`
  return readdirSync(sources)
    .filter(file => file.endsWith(ending))
    .map(file => join(sources, file))
}
