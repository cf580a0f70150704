import 'katex/dist/katex.min.css'
import type { ReadmeNode } from '@fernlab/shared/contracts/api'
import { createElement, Fragment, type ReactNode } from 'react'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import styles from './readme.module.css'

/** The lab's text with figures and formulas, as the hub has set it. */
export default function Readme({ nodes, title }: { nodes: readonly ReadmeNode[]; title: string }) {
  return <div className={styles.readme}>{drawn(nodes, title)}</div>
}

const drawn = (nodes: readonly ReadmeNode[], title: string): ReactNode =>
  createElement(Fragment, null, ...nodes.map((node) => draw(node, title)))

function draw(node: ReadmeNode, title: string): ReactNode {
  if (typeof node === 'string') return node
  const { tag, attributes, children } = node
  const inner = children === undefined ? undefined : drawn(children, title)
  switch (tag) {
    case 'h1':
      // The page has its heading already; a text usually opens with the same words.
      return wordsOf(node) === title ? null : <h2 {...attributes}>{inner}</h2>
    case 'a':
      return (
        <a {...attributes} {...(isElsewhere(attributes?.href) ? { target: '_blank', rel: 'noreferrer' } : {})}>
          {inner}
        </a>
      )
    case 'img':
      return <img alt="" {...attributes} loading="lazy" decoding="async" />
    case 'table':
      return (
        <ScrollRegion name={title} className={styles.tableFrame}>
          <table {...attributes}>{inner}</table>
        </ScrollRegion>
      )
    default:
      return createElement(tag, attributes, inner)
  }
}

const wordsOf = (node: ReadmeNode): string =>
  typeof node === 'string' ? node : (node.children ?? []).map(wordsOf).join('')

const isElsewhere = (href: unknown): boolean => typeof href === 'string' && /^https?:/.test(href)
