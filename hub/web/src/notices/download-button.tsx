import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface Props {
  readonly href: string
  /** The file's name, where the address does not say it. */
  readonly name?: string
  readonly children: ReactNode
}

/** Saves what is at an address as a file. */
export function DownloadButton({ href, name, children }: Props) {
  return (
    <Button
      component="a"
      href={href}
      download={name ?? true}
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden="true" />}
    >
      {children}
    </Button>
  )
}
