/**
 * A source file is covered only by the test that mirrors it: test/facts/verdict.test.ts answers
 * for src/facts/verdict.ts, and so do their compiled forms in .build. Tests of the whole program
 * cover nothing, whatever they load.
 *
 * @param {string} testFile path below the top of the repository
 */
export default function coverageMap(testFile) {
  const mirrored = /^(\.build\/)?test\/((?:facts|observe|serve|cli)\/.+)\.test(\.[jt]s)$/
  const [matched, folder = '', name, ending] = mirrored.exec(testFile) ?? []
  // Null means nothing; an empty list would mean all there is.
  return matched === undefined ? null : [`${folder}src/${name}${ending}`]
}
