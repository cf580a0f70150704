import 'katex/dist/katex.min.css'
import { render } from 'katex'
import type { Options } from 'react-markdown'
import remarkMath from 'remark-math'

type Plugins = NonNullable<Options['remarkPlugins']>

/** What `alone` looks at of a Markdown tree. */
interface Node {
  readonly type: string
  readonly value?: string
  readonly children?: readonly Node[]
  readonly position?: { readonly start: { readonly offset?: number }; readonly end: { readonly offset?: number } }
  data?: object
}

/** What a text with formulas needs. */
export interface Maths {
  readonly plugins: Plugins
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
  return (tree: Node) => {
    for (const paragraph of tree.children ?? []) {
      if (paragraph.type !== 'paragraph' || paragraph.children?.length !== 1) continue
      const only = paragraph.children[0]
      if (only?.type !== 'inlineMath') continue
      const { start, end } = only.position ?? {}
      const marks = (end?.offset ?? 0) - (start?.offset ?? 0) - (only.value?.length ?? 0)
      if (marks < 4) continue
      only.data = { ...only.data, hProperties: { className: ['language-math', 'math-display'] } }
    }
  }
}
