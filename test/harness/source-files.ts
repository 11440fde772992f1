/** The text of source files, and what they import from where. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot } from './repository.ts'

const root = repositoryRoot()

/** The text of a file; the path is from the top of the repository, as everywhere here. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Paths of all files below a folder. */
export const list = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted()

export type SourceFile = {
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}
export const open = (path: string): SourceFile => {
  const text = read(path)
  return { path, text, lines: text.split('\n').slice(0, -1) }
}

/** The folder of a file below src, or of its test: `facts/decode`. */
export const roomOf = (path: string): string => dirname(path).replace(/^(?:src|test)\//, '')

/** Static ones, on one line or several; `from` is as written. */
export type Import = { readonly in: string; readonly from: string; readonly typesOnly: boolean }
export const importsOf = ({ path, text }: SourceFile): readonly Import[] =>
  Array.from(
    text.matchAll(/^(?:import|export)( type)?\s[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]/gm),
    ([, typesOnly, from = '']) => ({ in: path, from, typesOnly: typesOnly !== undefined }),
  )
/** Where a relative one leads. */
export const target = (one: Import): string => join(one.in, '..', one.from)
export const isRelative = ({ from }: Import): boolean => from.startsWith('.')
