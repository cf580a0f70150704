import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import Markdown, { type Components, defaultUrlTransform } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import type { Maths } from './maths.ts'
import styles from './readme.module.css'

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
      pre: ({ node, children }) => {
        const only = node?.children[0]
        const isFormula = only?.type === 'element' && isMaths(only.properties.className)
        return isFormula ? children : <pre>{children}</pre>
      },
      code: ({ className, children }) =>
        maths !== undefined && isMaths(className?.split(' ')) ? (
          <Formula maths={maths} tex={String(children)} display={className?.includes('math-display') === true} />
        ) : (
          <code>{children}</code>
        ),
      table: ({ children }) => (
        <ScrollRegion name={title} className={styles.tableFrame}>
          <table>{children}</table>
        </ScrollRegion>
      ),
    }),
    [title, maths],
  )
  return (
    <div className={styles.readme}>
      <Markdown
        remarkPlugins={[remarkGfm, ...(maths?.plugins ?? [])]}
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

const isMaths = (classes: unknown): boolean => Array.isArray(classes) && classes.includes('language-math')

function Formula({ maths, tex, display }: { maths: Maths; tex: string; display: boolean }) {
  const element = useRef<HTMLSpanElement>(null)
  useLayoutEffect(() => {
    if (element.current !== null) maths.set(tex, element.current, display)
  }, [maths, tex, display])
  return <span ref={element} />
}
