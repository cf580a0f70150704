import { useEffect, useMemo, useState } from 'react'
import Markdown, { type Components, defaultUrlTransform } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import type { PluggableList } from 'unified'
import styles from './readme.module.css'

interface Maths {
  readonly remark: PluggableList
  readonly rehype: PluggableList
}

/** The lab's text with figures and formulas; the code for formulas is fetched when the text has one. */
export default function Readme({ markdown, filesUrl, title }: { markdown: string; filesUrl: string; title: string }) {
  const [maths, setMaths] = useState<Maths>()
  const hasMaths = /\$/.test(markdown)
  useEffect(() => {
    if (!hasMaths) return
    let wanted = true
    void import('./maths.ts').then((module) => wanted && setMaths(module.maths))
    return () => {
      wanted = false
    }
  }, [hasMaths])
  const components = useMemo<Components>(
    () => ({
      // The page has its heading already; a text usually opens with the same words.
      h1: ({ children }) => (String(children) === title ? null : <h2>{children}</h2>),
      a: ({ href, children }) => (
        <a href={href} {...(/^https?:/.test(href ?? '') ? { target: '_blank', rel: 'noreferrer' } : {})}>
          {children}
        </a>
      ),
      img: ({ src, alt }) => (
        <img src={typeof src === 'string' ? src : undefined} alt={alt ?? ''} loading="lazy" decoding="async" />
      ),
      table: ({ children }) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <div className={styles.tableFrame} tabIndex={0} role="region" aria-label={title}>
          <table>{children}</table>
        </div>
      ),
    }),
    [title],
  )
  return (
    <div className={styles.readme}>
      <Markdown
        remarkPlugins={[remarkGfm, ...(maths?.remark ?? [])]}
        rehypePlugins={maths?.rehype ?? []}
        components={components}
        urlTransform={(url, key) =>
          key === 'src' && !/^([a-z]+:|\/)/i.test(url)
            ? `${filesUrl.replace(/\/$/, '')}/${url.replace(/^\.\//, '')}`
            : defaultUrlTransform(url)
        }
      >
        {markdown}
      </Markdown>
    </div>
  )
}
