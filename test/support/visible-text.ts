import ts from 'typescript'
import type { SourceFile } from './source-files.ts'

/** Attributes whose text a person sees or hears. */
const spoken = new Set([
  'alt',
  'aria-description',
  'aria-label',
  'aria-placeholder',
  'aria-roledescription',
  'aria-valuetext',
  'caption',
  'confirmLabel',
  'description',
  'error',
  'help',
  'label',
  'placeholder',
  'title',
])

/** A text that stands in the code where a person sees it, and where. */
export interface VisibleText {
  readonly text: string
  readonly at: string
}

/** Texts that JSX shows or speaks and that are written in the code instead of in the languages' files. */
export function visibleTexts(file: SourceFile): VisibleText[] {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
  const found: VisibleText[] = []
  const add = (node: ts.Node, text: string) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
    if (text.trim() !== '') found.push({ text: text.trim(), at: `${file.path}:${line + 1}` })
  }
  /** The texts that an expression may turn out to be. */
  const outcomes = (node: ts.Expression): void => {
    if (ts.isStringLiteralLike(node)) add(node, node.text)
    else if (ts.isTemplateExpression(node)) {
      add(node.head, node.head.text)
      for (const { expression, literal } of node.templateSpans) {
        outcomes(expression)
        add(literal, literal.text)
      }
    } else if (ts.isConditionalExpression(node)) {
      outcomes(node.whenTrue)
      outcomes(node.whenFalse)
    } else if (ts.isBinaryExpression(node)) {
      if (addsOrChooses.has(node.operatorToken.kind)) outcomes(node.left)
      outcomes(node.right)
    } else if (ts.isParenthesizedExpression(node)) outcomes(node.expression)
  }
  const walk = (node: ts.Node): void => {
    if (ts.isJsxText(node)) add(node, node.text)
    else if (ts.isJsxExpression(node) && node.expression !== undefined && !ts.isJsxAttribute(node.parent)) {
      outcomes(node.expression)
    } else if (ts.isJsxAttribute(node) && spoken.has(node.name.getText(source))) {
      const { initializer } = node
      if (initializer !== undefined && ts.isStringLiteral(initializer)) add(initializer, initializer.text)
      else if (initializer !== undefined && ts.isJsxExpression(initializer) && initializer.expression !== undefined) {
        outcomes(initializer.expression)
      }
    }
    ts.forEachChild(node, walk)
  }
  walk(source)
  return found
}

const addsOrChooses = new Set([ts.SyntaxKind.PlusToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken])
