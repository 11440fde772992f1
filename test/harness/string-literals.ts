/** The texts in source files: string literals of a program, and titles of tests. */
import { parseSync, visitorKeys, type CallExpression, type Node } from 'oxc-parser'
import type { SourceFile } from './source-files.ts'

/** A literal; of a template, each of its pieces without what is inserted. */
export type Literal = { readonly place: string; readonly text: string }

/** Without those of imports and of types. */
export const literalsOf = (file: SourceFile): readonly Literal[] => {
  const found: Literal[] = []
  visit(parse(file), node => found.push(...piecesOf(node, file)))
  return found
}

/** The first argument of each call of `test`, if it is a literal. */
export const titlesOf = (file: SourceFile): readonly Literal[] => {
  const found: Literal[] = []
  visit(parse(file), node => {
    const [title] = isTest(node, file) ? node.arguments : []
    if (title?.type === 'TemplateLiteral')
      for (const quasi of title.quasis) found.push(...piecesOf(quasi, file))
    else if (title !== undefined) found.push(...piecesOf(title, file))
  })
  return found
}

const isTest = (node: Node, { text }: SourceFile): node is CallExpression =>
  node.type === 'CallExpression' &&
  /(?:^|\.)test$/.test(text.slice(node.callee.start, node.callee.end))

const piecesOf = (node: Node, file: SourceFile): readonly Literal[] => {
  const text = textOf(node)
  return text === null ? [] : [{ place: placeOf(node, file), text }]
}

/** Null for what is no text. */
const textOf = (node: Node): string | null => {
  if (node.type === 'TemplateElement') return node.value.cooked ?? node.value.raw
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : null
}

const parse = ({ path, text }: SourceFile): Node => parseSync(path, text).program

/** Calls back for a node and for all below it. Of a type assertion only the value counts. */
const visit = (node: Node, found: (node: Node) => void): void => {
  if (node.type === 'ImportDeclaration') return
  const isOfTypes = node.type.startsWith('TS')
  if (!isOfTypes) found(node)
  const keys = isOfTypes ? ['expression'] : (visitorKeys[node.type] ?? [])
  for (const key of keys) {
    const below = (
      node as unknown as Readonly<Record<string, Node | readonly (Node | null)[] | null>>
    )[key]
    for (const one of [below ?? []].flat()) if (one !== null) visit(one, found)
  }
}

const placeOf = ({ start }: Node, { path, text }: SourceFile): string =>
  `${path}:${text.slice(0, start).split('\n').length}`
