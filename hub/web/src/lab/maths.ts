import 'katex/dist/katex.min.css'
import { render } from 'katex'
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
  plugins: [remarkMath],
  set: (tex, element, display) =>
    render(tex, element, { displayMode: display, throwOnError: false, trust: false, maxExpand: 200, strict: 'ignore' }),
}
