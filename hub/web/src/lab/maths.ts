import 'katex/dist/katex.min.css'
import { render } from 'katex'
import type { Root } from 'mdast'
import remarkMath from 'remark-math'
import type { PluggableList } from 'unified'

/** What a text with formulas needs. */
export interface Maths {
  readonly plugins: PluggableList
  /** Sets a formula into the element, with MathML for screen readers; a wrong one shows as it was written. */
  readonly set: (tex: string, element: HTMLElement, display: boolean) => void
}

/** Reads `$…$` and `$$…$$`; sets them node by node, since the page's policy refuses style attributes in HTML text. */
export const maths: Maths = {
  plugins: [remarkMath, alone],
  set: (tex, element, display) =>
    render(tex, element, { displayMode: display, throwOnError: false, trust: false, maxExpand: 200, strict: 'ignore' }),
}

/** `$$…$$` on a line of its own is a formula of its own, as it is on GitHub; remark-math wants line breaks inside. */
function alone() {
  return (tree: Root) => {
    for (const paragraph of tree.children) {
      if (paragraph.type !== 'paragraph' || paragraph.children.length !== 1) continue
      const only = paragraph.children[0]
      if (only?.type !== 'inlineMath') continue
      const { start, end } = only.position ?? {}
      const marks = (end?.offset ?? 0) - (start?.offset ?? 0) - only.value.length
      if (marks < 4) continue
      only.data = { ...only.data, hProperties: { className: ['language-math', 'math-display'] } }
    }
  }
}
