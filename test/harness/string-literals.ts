/** The texts in source files: string literals of a program, and titles of tests. */
import ts from 'typescript'
import type { SourceFile } from './source-files.ts'

/** A literal; of a template, each of its pieces without what is inserted. */
export type Literal = { readonly place: string; readonly text: string }

/** Without those of imports and of types. */
export const literalsOf = (file: SourceFile): readonly Literal[] => {
  const found: Literal[] = []
  const tree = parse(file)
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return
    if (ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) {
      found.push({ place: placeOf(node, tree), text: node.text })
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

/** The first argument of each call of `test`, if it is a literal. */
export const titlesOf = (file: SourceFile): readonly Literal[] => {
  const found: Literal[] = []
  const tree = parse(file)
  const visit = (node: ts.Node): void => {
    const [title] = isTest(node) ? node.arguments : []
    if (title !== undefined) found.push(...piecesOf(title, tree))
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

const isTest = (node: ts.Node): node is ts.CallExpression =>
  ts.isCallExpression(node) && /(?:^|\.)test$/.test(node.expression.getText())

const piecesOf = (title: ts.Expression, tree: ts.SourceFile): readonly Literal[] => {
  const place = placeOf(title, tree)
  if (ts.isStringLiteralLike(title)) return [{ place, text: title.text }]
  if (!ts.isTemplateExpression(title)) return []
  const parts = [title.head, ...title.templateSpans.map(({ literal }) => literal)]
  return parts.map(({ text }) => ({ place, text }))
}

const parse = ({ path, text }: SourceFile): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)

const placeOf = (node: ts.Node, tree: ts.SourceFile): string => {
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree))
  return `${tree.fileName}:${line + 1}`
}
