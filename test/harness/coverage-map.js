/**
 * A source file is covered only by the test that mirrors it: test/facts/verdict.test.ts answers
 * for src/facts/verdict.ts. Tests of the whole program cover nothing, whatever they load.
 *
 * @param {string} testFile path below the top of the repository
 */
export default function coverageMap(testFile) {
  const mirrored = /^test\/(facts|observe|serve|cli)\/(.+)\.test\.ts$/.exec(testFile)
  // Null means nothing; an empty list would mean all there is.
  return mirrored === null ? null : [`src/${mirrored[1]}/${mirrored[2]}.ts`]
}
