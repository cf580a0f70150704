import type { ReactNode } from 'react'

/** A part that scrolls sideways or down, named and reachable by keyboard so that all of it can be seen. */
export function ScrollRegion({
  name,
  className,
  children,
}: {
  name: string
  className?: string | undefined
  children: ReactNode
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without focus its rest is out of a keyboard's reach
    <section className={className} aria-label={name} tabIndex={0}>
      {children}
    </section>
  )
}
