/** Reads the releases from CHANGELOG.md, latest first. */
import { readFileSync } from 'node:fs'

/**
 * @typedef {object} Release
 * @property {string} version
 * @property {string} date as in 2026-01-31
 * @property {string} text its section, in Markdown
 */

/** @returns {Release[]} */
export const releases = () => {
  const [, ...sections] = readFileSync(
    new URL('../../CHANGELOG.md', import.meta.url),
    'utf8',
  ).split(/^## /m)
  return sections.map(section => {
    const [, version, date, text] = /^(\S+) \((\d{4}-\d\d-\d\d)\)\n+(.*)$/s.exec(section) ?? []
    if (version === undefined) {
      throw new Error(
        `CHANGELOG.md: heading "## ${section.split('\n')[0]}" must be "## VERSION (DATE)"`,
      )
    }
    return { version, date, text: text.trimEnd() }
  })
}
