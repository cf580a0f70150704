import type { ReadmeNode } from '@fernlab/shared/contracts/api'
import { toJsxRuntime } from 'hast-util-to-jsx-runtime'
import rehypeKatex from 'rehype-katex'
import remarkGfm from 'remark-gfm'
import remarkMath from 'remark-math'
import remarkParse from 'remark-parse'
import remarkRehype from 'remark-rehype'
import { unified } from 'unified'

type Tree = Parameters<typeof toJsxRuntime>[0]
type Root = Extract<Tree, { type: 'root' }>
type Element = Extract<Tree, { type: 'element' }>

const markdownReader = () => unified().use(remarkParse)
type Markdown = ReturnType<ReturnType<typeof markdownReader>['parse']>

/** What a lab's files may not make a formula do; a wrong one shows as it was written. */
const formulas = { trust: false, maxExpand: 200, strict: 'ignore' } as const

/** A README (Markdown with `$…$` and `$$…$$`) as the page draws it; its pictures are looked for below `filesUrl`. */
export function renderReadme(markdown: string, filesUrl: string): readonly ReadmeNode[] {
  const reader = markdownReader()
    .use(remarkGfm)
    .use(remarkMath)
    .use(displayAlone)
    .use(remarkRehype, { allowDangerousHtml: true })
    .use(harmless, filesUrl)
    .use(rehypeKatex, formulas)
  const tree = reader.runSync(reader.parse(markdown)) as Root
  // React's names and style objects: the page's policy refuses style attributes in HTML text.
  const drawn = toJsxRuntime(tree, { Fragment: '', jsx: node, jsxs: node, ignoreInvalidStyle: true })
  return (drawn as unknown as Exclude<ReadmeNode, string>).children ?? []
}

function node(tag: unknown, { children, ...attributes }: { readonly children?: unknown }): Exclude<ReadmeNode, string> {
  return {
    tag: String(tag),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...(children === undefined ? {} : { children: [children].flat() as ReadmeNode[] }),
  }
}

/** `$$…$$` on a line of its own is a formula of its own, as it is on GitHub; remark-math wants line breaks inside. */
function displayAlone() {
  return ({ children }: Markdown) => {
    for (const paragraph of children) {
      const only = paragraph.type === 'paragraph' && paragraph.children.length === 1 ? paragraph.children[0] : undefined
      if (only?.type !== 'inlineMath') continue
      const { start, end } = only.position ?? {}
      const marks = (end?.offset ?? 0) - (start?.offset ?? 0) - only.value.length
      if (marks >= 4) only.data = { ...only.data, hProperties: { className: ['language-math', 'math-display'] } }
    }
  }
}

/** HTML becomes text, and addresses lead to the web, to mail or to the lab's own pictures. */
function harmless(filesUrl: string) {
  return (tree: Root) => clean(tree, filesUrl)
}

function clean(parent: Root | Element, filesUrl: string): void {
  parent.children = parent.children.map((child) =>
    child.type === 'raw' ? { type: 'text' as const, value: child.value } : child,
  )
  for (const child of parent.children) {
    if (child.type !== 'element') continue
    const { href, src } = child.properties
    if (href !== undefined) child.properties.href = safe(String(href))
    if (src !== undefined) child.properties.src = sourceOf(String(src), filesUrl)
    clean(child, filesUrl)
  }
}

const sourceOf = (url: string, filesUrl: string): string =>
  /^([a-z]+:|\/)/i.test(url) ? safe(url) : `${filesUrl}${url.replace(/^\.\//, '')}`

/** The address, or nothing where it has a scheme other than these. */
const safe = (url: string): string => (/^[^/?#]*:/.test(url) && !/^(https?|mailto|ircs?|xmpp):/i.test(url) ? '' : url)
