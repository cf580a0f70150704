import type { ReactNode } from 'react'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import type { useEnding } from './use-ending.ts'

interface Props {
  readonly title: string
  readonly confirm: string
  readonly ending: ReturnType<typeof useEnding>
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Asks before a session ends or its place is given up. */
export default function EndDialog({ title, confirm, ending, onClose, children }: Props) {
  return (
    <ConfirmDialog
      opened
      title={title}
      confirm={confirm}
      pending={ending.isPending}
      error={ending.error}
      onConfirm={ending.end}
      onClose={onClose}
    >
      <p>{children}</p>
    </ConfirmDialog>
  )
}
