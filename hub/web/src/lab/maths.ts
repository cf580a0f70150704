import 'katex/dist/katex.min.css'
import rehypeKatex from 'rehype-katex'
import remarkMath from 'remark-math'
import type { PluggableList } from 'unified'

/** Reads `$…$` and `$$…$$` and sets them with KaTeX, with MathML for screen readers. */
export const maths: { readonly remark: PluggableList; readonly rehype: PluggableList } = {
  remark: [remarkMath],
  rehype: [[rehypeKatex, { output: 'htmlAndMathml', trust: false, maxExpand: 200 }]],
}
